package io.idempotency.outage;

import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.ShareLoop;
import io.idempotency.memory.MemoryStore;
import java.time.Duration;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** A process with many members of a share group, whose handlers never end. It says which record they have. */
final class ShareChild {

    private ShareChild() {}

    public static void main(String[] args) {
        ShareLoop<String, String> loop = ShareLoop.of(
                        KafkaRecords.<String, String>consumer("stands")
                                .store(MemoryStore.create())
                                .quarantine(new Watch())
                                .build(),
                        (record, claim) -> stand(record))
                .properties(Kafka.member(args[0], args[1]))
                .topics(args[2])
                .members(Integer.parseInt(args[3]))
                .build();
        loop.run();
    }

    private static void stand(ConsumerRecord<String, String> record) throws InterruptedException {
        System.out.println(ChildConsumer.MARK + record.value());
        new Gate().stay(Duration.ofHours(1));
    }
}
