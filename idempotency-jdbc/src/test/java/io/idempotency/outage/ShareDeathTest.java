package io.idempotency.outage;

import static io.idempotency.outage.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.IdempotentConsumer;
import io.idempotency.Outcome;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.ShareLoop;
import io.idempotency.kafka.ShareProcessor;
import io.idempotency.memory.MemoryStore;
import io.idempotency.store.TransientStoreException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What the end of a process with many members costs: the broker gives what they had to whoever waits for records, and counts each time. */
@ExtendWith(LongOutage.class)
class ShareDeathTest {

    private static final int RECORDS = 5;
    private static final int MEMBERS = 16;
    private static final int LIMIT = ShareProcessor.DEFAULT_DELIVERY_LIMIT;

    private final Watch watch = new Watch();
    private final String topic = Kafka.topic(1);
    private final String group = "group-" + topic;

    @Test
    @Tag("rule-14.10")
    void aLoopThatEndsUsesOneDeliveryOfARecordThatWaits() {
        Map<String, Object> properties = Kafka.sharing(group, Duration.ofSeconds(9));
        Kafka.send(topic, 0, "m", RECORDS);
        try (IdempotentConsumer<ConsumerRecord<String, String>> consumer = KafkaRecords.<String, String>consumer(
                        "waits")
                .store(MemoryStore.create())
                .quarantine(watch)
                .listener(watch)
                .build()) {
            ShareLoop<String, String> loop = ShareLoop.of(consumer, (record, claim) -> {
                        throw new TransientStoreException("Its service is away");
                    })
                    .properties(properties)
                    .topics(topic)
                    .members(MEMBERS)
                    .build();
            new Thread(loop, "share-loop").start();
            eventually().until(() -> watch.count(Outcome.RELEASED) >= 8 * RECORDS);
            loop.close();
        }

        assertThat(deliveries(properties))
                .hasSize(RECORDS)
                .allSatisfy((id, deliveries) -> assertThat(deliveries).as(id).isEqualTo(2));
    }

    /** Each dead member that waited for records may have got them once before the broker knows that it is dead. */
    @Test
    @Tag("rule-14.10")
    void aProcessWithFewerMembersThanTheLimitLeavesADeliveryWhenItIsKilled() throws Exception {
        Map<String, Object> properties = Kafka.sharing(group, Duration.ofSeconds(5));
        Kafka.send(topic, 0, "m", RECORDS);
        Process child = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        ShareChild.class.getName(),
                        Kafka.servers(),
                        group,
                        topic,
                        String.valueOf(LIMIT - 1))
                .redirectErrorStream(true)
                .start();
        try {
            awaitHandlers(child);
        } finally {
            child.destroyForcibly().waitFor();
        }

        assertThat(deliveries(properties))
                .hasSize(RECORDS)
                .allSatisfy((id, deliveries) -> assertThat(deliveries).as(id).isBetween(2, 3));
    }

    private static void awaitHandlers(Process child) throws IOException {
        int handled = 0;
        BufferedReader said = child.inputReader(StandardCharsets.UTF_8);
        while (handled < RECORDS) {
            String line = said.readLine();
            assertThat(line).as("what the child says").isNotNull();
            handled += line.startsWith(ChildConsumer.MARK) ? 1 : 0;
        }
    }

    /** Takes all records, and returns how often each was delivered until then. */
    private Map<String, Integer> deliveries(Map<String, Object> properties) {
        Map<String, Integer> deliveries = new TreeMap<>();
        try (KafkaShareConsumer<String, String> kafka = new KafkaShareConsumer<>(properties)) {
            kafka.subscribe(List.of(topic));
            eventually().until(() -> {
                kafka.poll(Duration.ofMillis(200))
                        .forEach(record -> deliveries.put(
                                record.value(), (int) record.deliveryCount().orElseThrow()));
                return deliveries.size() == RECORDS;
            });
        }
        return deliveries;
    }
}
