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
 * Recovers a record that failed for good by putting it into quarantine, in the transaction that settles it. What happens without any error handler
 * of yours; it is a bean for one with a back-off or exceptions of your own:
 *
 * <pre>{@code
 * @Bean
 * DefaultErrorHandler errors(QuarantineRecoverer quarantine) {
 *     return new DefaultErrorHandler(quarantine, new FixedBackOff(1_000, 9));
 * }
 * }</pre>
 *
 * <p>If that fails, the record comes again, and so it does, after a while each time, where several different records in a row were recovered for the
 * same failure ({@code idempotency.stand-still-after}): then it is not the records that are wrong. Spring Boot gives an error handler to all
 * listeners. Records of those that are not {@link Idempotent}, or switched off, have no quarantine: they are logged and skipped, as Spring does without a
 * recoverer, or handed to the one given to {@link #orElse}. Thread-safe.
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

    /** Returns a recoverer like this one, with another one for the records of listeners that are not {@link Idempotent}. */
    public QuarantineRecoverer orElse(ConsumerRecordRecoverer recoverer) {
        return new QuarantineRecoverer(recoverer);
    }

    /** Returns whether the handler recovers by quarantine itself. spring-kafka has no accessor for its recoverer. */
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
        BatchResult result = current.consumer().quarantine((ConsumerRecord<Object, Object>) record, cause);
        if (!result.isSettled()) {
            current.waits()
                    .put(
                            WaitingException.partition(record),
                            result.stops().get(0).retryAfter());
            throw new IdempotencyException(
                    "The record " + at(record) + " could not be put into quarantine; it comes again", cause);
        }
    }

    private static void skip(ConsumerRecord<?, ?> record, Exception cause) {
        log.error(
                "The record {} failed for good and is skipped: its listener is not @Idempotent, or switched off, so it has no"
                        + " quarantine.",
                at(record),
                FailureText.loggable(cause));
    }

    private static String at(ConsumerRecord<?, ?> record) {
        return WaitingException.partition(record) + "@" + record.offset();
    }
}
