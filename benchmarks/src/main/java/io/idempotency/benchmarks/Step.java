package io.idempotency.benchmarks;

import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecords;

/** What a contestant does with the messages of a poll: the effects, what it remembers, and the offsets in the end. */
interface Step extends AutoCloseable {

    void process(Consumer<byte[], byte[]> kafka, ConsumerRecords<byte[], byte[]> polled);

    /** Forgets what is older than the retention; returns how many messages. */
    default int purge() {
        throw new UnsupportedOperationException("There is nothing to purge");
    }

    /** Returns how many bytes of memory the ids take. */
    default long memoryBytes() {
        return 0;
    }

    @Override
    default void close() {}
}
