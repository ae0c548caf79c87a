package io.idempotency.spring;

import io.idempotency.ConsistencyLevel;
import io.idempotency.IdempotentConsumer;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Holds the parts that the listener and the error handler of one container share.
 *
 * @param rememberedFor how long messages are remembered, if a later copy would be processed again
 * @param isBatch whether the application's listener takes batches; one whose polls share a transaction takes records
 * @param isAwaited whether the listener declares asynchronous results
 * @param isRetry whether the container polls retry topics
 * @param front puts the consumer in front of the application's listener
 */
record FittedContainer(
        IdempotentConsumer<ConsumerRecord<Object, Object>> consumer,
        SettledRecords settled,
        PollTime pollTime,
        Optional<Duration> rememberedFor,
        boolean isBatch,
        boolean isAwaited,
        boolean isRetry,
        Function<FittedContainer, Object> front) {

    /** Returns the listener for the container: the consumer, and behind it that of the application. */
    Object listener() {
        return front.apply(this);
    }

    /** Returns the parts for a call of the same listener by a replay, which shares no state with those of the container. */
    FittedContainer replaying(IdempotentConsumer<ConsumerRecord<Object, Object>> companion) {
        return new FittedContainer(
                companion, new SettledRecords(), pollTime, rememberedFor, isBatch, isAwaited, isRetry, front);
    }

    /** Returns whether effects of the listener commit in transactions of its own, and its message counts as processed after that. */
    boolean commitsAlone() {
        return !isShadow()
                && (consumer.level() == ConsistencyLevel.AT_LEAST_ONCE
                        || consumer.level() == ConsistencyLevel.AT_MOST_ONCE);
    }

    /** Returns whether the listener is only watched. */
    boolean isShadow() {
        return consumer.isShadow();
    }
}
