package io.idempotency.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;

/** Creates steps that commit the offsets of a poll when all its messages are handled. They wait for the offset commit unless stated otherwise. */
final class Steps {

    private Steps() {}

    /** Returns a step that handles nothing. */
    static Step reading() {
        return pollByPoll(messages -> {});
    }

    /** Returns a step that handles all messages of a poll together. */
    static Step pollByPoll(Consumer<List<ConsumerRecord<byte[], byte[]>>> work) {
        return (kafka, polled) -> {
            work.accept(list(polled));
            kafka.commitSync(polled.nextOffsets());
        };
    }

    /** Returns a step that handles all messages of a poll together, and does not wait for its offsets. */
    static Step pollByPollWithoutWaiting(Consumer<List<ConsumerRecord<byte[], byte[]>>> work) {
        return (kafka, polled) -> {
            work.accept(list(polled));
            kafka.commitAsync(polled.nextOffsets(), null);
        };
    }

    /** Returns a step that handles one message after the other. */
    static Step oneByOne(Consumer<ConsumerRecord<byte[], byte[]>> work) {
        return (kafka, polled) -> {
            polled.forEach(work);
            kafka.commitSync(polled.nextOffsets());
        };
    }

    private static List<ConsumerRecord<byte[], byte[]>> list(ConsumerRecords<byte[], byte[]> polled) {
        List<ConsumerRecord<byte[], byte[]>> list = new ArrayList<>(polled.count());
        polled.forEach(list::add);
        return list;
    }
}
