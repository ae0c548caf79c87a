package io.idempotency.spring;

import io.idempotency.IdempotentConsumer;
import io.idempotency.store.QuarantineEntry;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** A container whose listener gets quarantined messages again. Confined to the thread of one replayer, except for {@link #isWorking} and {@link #close}. */
interface ReplayTarget extends AutoCloseable {

    /** Returns whether it is the container of a retry topic. */
    boolean isRetry();

    /** Returns whether the container runs and is not paused. */
    boolean isWorking();

    /** Returns whether the container polls this topic. */
    boolean polls(String topic);

    /**
     * Handles a quarantined message again.
     *
     * @param companion the consumer of the replayer
     */
    void handle(QuarantineEntry entry, String replay, IdempotentConsumer<ConsumerRecord<Object, Object>> companion);

    @Override
    void close();
}
