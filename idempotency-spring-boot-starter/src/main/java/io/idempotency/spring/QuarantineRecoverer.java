package io.idempotency.spring;

import io.idempotency.BatchResult;
import io.idempotency.store.IdempotencyException;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.ConsumerAwareRecordRecoverer;

/**
 * Recovers a record that failed for good by putting it into quarantine, in the transaction that settles it. For a {@code DefaultErrorHandler}:
 *
 * <pre>{@code
 * @Bean
 * DefaultErrorHandler errors(QuarantineRecoverer quarantine) {
 *     return new DefaultErrorHandler(quarantine, new FixedBackOff(1_000, 9));
 * }
 * }</pre>
 *
 * <p>If that fails, the record comes again, and so it does, after a while each time, where several different records in a row were recovered for the
 * same failure ({@code idempotency.stand-still-after}): then it is not the records that are wrong. Works for listeners that are {@link Idempotent}; the record of another one is refused, and so
 * comes again, too. Thread-safe.
 */
public final class QuarantineRecoverer implements ConsumerAwareRecordRecoverer {

    /** Created by the starter. */
    QuarantineRecoverer() {}

    @Override
    @SuppressWarnings("unchecked")
    public void accept(ConsumerRecord<?, ?> record, @Nullable Consumer<?, ?> consumer, @Nullable Exception exception) {
        CurrentConsumer current = CurrentConsumer.get();
        if (current == null) {
            throw new IdempotencyException("The listener of " + record.topic() + "-" + record.partition() + "@"
                    + record.offset() + " is not @Idempotent, so its records cannot be put into quarantine");
        }
        Throwable cause = exception == null ? new IdempotencyException("Recovered without an exception") : exception;
        BatchResult result = current.consumer().quarantine((ConsumerRecord<Object, Object>) record, cause);
        if (!result.isSettled()) {
            current.waits()
                    .put(
                            WaitingException.partition(record),
                            result.stops().get(0).retryAfter());
            throw new IdempotencyException(
                    "The record " + record.topic() + "-" + record.partition() + "@" + record.offset()
                            + " could not be put into quarantine; it comes again",
                    cause);
        }
    }
}
