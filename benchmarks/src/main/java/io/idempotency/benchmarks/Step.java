package io.idempotency.benchmarks;

import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecords;

/** The work of a contestant on the messages of a poll: effects, ids, and the offset commit at the end. */
interface Step extends AutoCloseable {

    void process(Consumer<byte[], byte[]> kafka, ConsumerRecords<byte[], byte[]> polled);

    /** Forgets messages older than the retention, and moves older ones to archives. Returns how many were forgotten. */
    default int purge() {
        throw new UnsupportedOperationException("There is nothing to purge");
    }

    /** Returns the memory of the ids in bytes. */
    default long memoryBytes() {
        return 0;
    }

    @Override
    default void close() {}
}
