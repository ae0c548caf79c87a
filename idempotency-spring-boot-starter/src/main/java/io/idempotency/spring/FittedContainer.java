package io.idempotency.spring;

import io.idempotency.IdempotentConsumer;
import java.time.Duration;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Holds the parts that the listener and the error handler of one container share.
 *
 * @param rememberedFor how long messages are remembered, if a later copy would be processed again
 * @param isBatch whether the application's listener takes batches; one whose polls share a transaction takes records
 * @param isAwaited whether the listener declares asynchronous results
 */
record FittedContainer(
        IdempotentConsumer<ConsumerRecord<Object, Object>> consumer,
        SettledRecords settled,
        PollTime pollTime,
        Optional<Duration> rememberedFor,
        boolean isBatch,
        boolean isAwaited) {

    /** Returns whether the listener is only watched. */
    boolean isShadow() {
        return consumer.isShadow();
    }
}
