package io.idempotency;

import io.idempotency.store.Delivery;
import io.idempotency.store.Position;
import io.idempotency.store.Processed;
import java.time.Duration;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells the listener and the log what a real run would have done with watched deliveries. Thread-safe. */
final class ShadowReports {

    private static final Logger log = LoggerFactory.getLogger(IdempotentConsumer.class);

    private final String consumer;
    private final ConsistencyLevel level;
    private final ConsumptionListener listener;
    private final RareLines skipped;
    private final RareLines refused;
    private final RareLines dropped;
    private final RareLines failures;

    ShadowReports(Settings<?> settings, LongSupplier nanoTime) {
        this.consumer = settings.name();
        this.level = settings.level();
        this.listener = settings.listener();
        this.skipped = new RareLines(nanoTime);
        this.refused = new RareLines(nanoTime);
        this.dropped = new RareLines(nanoTime);
        this.failures = new RareLines(nanoTime);
    }

    /** Tells of a delivery that a real run handles, or would have found expired. */
    void observed(Watched watched, Outcome outcome) {
        tell(watched, outcome, Optional.empty(), Optional.empty());
    }

    /** Tells of a delivery that a real run would have skipped. */
    void wouldSkip(Watched watched, Optional<Processed> settled) {
        Duplicate duplicate = settled.map(
                        first -> Duplicate.of(watched.delivery().position(), first.position(), first.age()))
                .orElseGet(() -> new Duplicate(Duplicate.Kind.UNKNOWN, Position.UNKNOWN, Duration.ZERO));
        long events = skipped.note(watched.lane());
        if (events > 0) {
            log.info(
                    "Shadow consumer {}: a real run would have skipped {}, a {} of a message settled at {} {} s before.{}",
                    consumer,
                    watched.delivery(),
                    duplicate.kind(),
                    duplicate.first(),
                    duplicate.age().toSeconds(),
                    others(events));
        }
        tell(watched, Outcome.WOULD_SKIP, Optional.of(duplicate), Optional.empty());
    }

    /** Tells of a delivery that a real run would not have handled: it has no usable id, or the store refuses it. */
    void refused(Watched watched, Throwable why) {
        long events = refused.note(watched.lane());
        if (events > 0) {
            log.warn(
                    "Shadow consumer {}: a real run would not have handled {}: {}.{}",
                    consumer,
                    watched.delivery(),
                    FailureText.lineWithCause(why),
                    others(events));
        }
        tell(watched, Outcome.WOULD_REFUSE, Optional.empty(), Optional.of(why));
    }

    /** Tells of a delivery that is not watched, because the store does not keep up. */
    void dropped(Delivery delivery) {
        long events = dropped.note(Lane.of(Position.UNKNOWN));
        if (events > 0) {
            log.warn(
                    "Shadow consumer {} does not watch {}, because its store does not keep up. Its handler ran as ever.{}",
                    consumer,
                    delivery,
                    others(events));
        }
        Reports.tell(delivery, () -> listener.onUnwatched(delivery));
    }

    /** Logs that the store has failed for now. */
    void storeFailed(Delivery first, Throwable failure) {
        if (failures.note(Lane.of(Position.UNKNOWN)) > 0) {
            log.warn(
                    "Shadow consumer {}: its store fails at {} ({}), and is asked again until it answers. Handlers run as ever.",
                    consumer,
                    first,
                    FailureText.lineWithCause(failure));
        }
    }

    private static String others(long events) {
        return events == 1 ? "" : " The same holds for " + (events - 1) + " others since the last such line.";
    }

    private void tell(Watched watched, Outcome outcome, Optional<Duplicate> duplicate, Optional<Throwable> failure) {
        Reports.tell(
                watched.delivery(),
                () -> listener.onConsumption(new Consumption(
                        level, watched.delivery(), outcome, 0, duplicate, failure, 0, watched.handlerNanos())));
    }
}
