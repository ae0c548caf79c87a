package io.idempotency.spring;

import io.idempotency.BatchResult;
import io.idempotency.FailureText;
import io.idempotency.store.IdempotencyException;
import java.util.Objects;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.DirectFieldAccessor;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.ConsumerAwareRecordRecoverer;
import org.springframework.kafka.listener.ConsumerRecordRecoverer;
import org.springframework.kafka.listener.DefaultErrorHandler;

/**
 * Recovers a record that keeps failing by quarantining it, in the transaction that settles it. Containers without an error handler use it by default.
 * Inject it into an error handler with a back-off or exceptions of your own:
 *
 * <pre>{@code
 * @Bean
 * DefaultErrorHandler errors(QuarantineRecoverer quarantine) {
 *     return new DefaultErrorHandler(quarantine, new FixedBackOff(1_000, 9));
 * }
 * }</pre>
 *
 * <p>A record that cannot be quarantined is polled again. So is the next record after {@code idempotency.stand-still-after} different records in a
 * row were quarantined for the same failure: the records are hardly the cause then, and the partition stands still between attempts. After a crash
 * before the commit of that transaction the record is polled again; after a crash that follows the commit, the record is skipped.
 *
 * <p>Spring Boot gives one error handler to all listeners. Records of listeners that are not {@link Idempotent}, or are switched off, cannot be
 * quarantined: they are logged and skipped, as in Spring without a recoverer, or handed to the recoverer given to {@link #orElse}. Thread-safe.
 */
public final class QuarantineRecoverer implements ConsumerAwareRecordRecoverer {

    private static final Logger log = LoggerFactory.getLogger(Idempotent.class);

    private final ConsumerRecordRecoverer others;

    /** Created by the starter. */
    QuarantineRecoverer() {
        this(QuarantineRecoverer::skip);
    }

    private QuarantineRecoverer(ConsumerRecordRecoverer others) {
        this.others = others;
    }

    /** Returns a recoverer like this one that hands records of listeners without {@link Idempotent} to another recoverer. */
    public QuarantineRecoverer orElse(ConsumerRecordRecoverer recoverer) {
        return new QuarantineRecoverer(recoverer);
    }

    /** Returns whether the handler's own recoverer is this one. spring-kafka has no accessor for it. */
    static boolean isIn(CommonErrorHandler handler) {
        if (!(handler instanceof DefaultErrorHandler)) {
            return false;
        }
        Object tracker = Objects.requireNonNull(new DirectFieldAccessor(handler).getPropertyValue("failureTracker"));
        return new DirectFieldAccessor(tracker).getPropertyValue("recoverer") instanceof QuarantineRecoverer;
    }

    @Override
    public void accept(ConsumerRecord<?, ?> record, @Nullable Consumer<?, ?> consumer, @Nullable Exception exception) {
        Exception cause = exception == null ? new IdempotencyException("Recovered without an exception") : exception;
        CurrentConsumer current = CurrentConsumer.get();
        if (current != null) {
            quarantine(record, current, cause);
        } else if (others instanceof ConsumerAwareRecordRecoverer aware) {
            aware.accept(record, consumer, cause);
        } else {
            others.accept(record, cause);
        }
    }

    @SuppressWarnings("unchecked")
    private static void quarantine(ConsumerRecord<?, ?> record, CurrentConsumer current, Exception cause) {
        BatchResult result =
                current.consumer().quarantine((ConsumerRecord<Object, Object>) record, cause, current.attempts());
        if (!result.isSettled()) {
            current.waits()
                    .put(
                            WaitingException.partition(record),
                            result.stops().get(0).retryAfter());
            throw new IdempotencyException(
                    "The record " + at(record) + " could not be quarantined and is polled again", cause);
        }
    }

    private static void skip(ConsumerRecord<?, ?> record, Exception cause) {
        log.error(
                "The record {} failed for good and is skipped. Its listener is not @Idempotent, or is switched off, so it"
                        + " cannot be quarantined.",
                at(record),
                FailureText.loggable(cause));
    }

    private static String at(ConsumerRecord<?, ?> record) {
        return WaitingException.partition(record) + "@" + record.offset();
    }
}
