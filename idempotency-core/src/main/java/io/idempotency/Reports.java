package io.idempotency;

import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells the listener and the log how consumptions ended. */
final class Reports {

    private static final Logger log = LoggerFactory.getLogger(IdempotentConsumer.class);

    private final ConsistencyLevel level;
    private final ConsumptionListener listener;
    private final AtomicBoolean isEarlyCommitTold = new AtomicBoolean();

    Reports(ConsistencyLevel level, ConsumptionListener listener) {
        this.level = level;
        this.listener = listener;
    }

    static Optional<Duplicate> duplicate(Claim claim) {
        if (claim.status() != Claim.Status.DUPLICATE) {
            return Optional.empty();
        }
        Delivery delivery = claim.delivery();
        return Optional.of(claim.processed()
                .map(first -> Duplicate.of(delivery.position(), first.position(), first.age()))
                .orElseGet(() -> new Duplicate(
                        Duplicate.Kind.UNKNOWN, io.idempotency.store.Position.UNKNOWN, java.time.Duration.ZERO)));
    }

    void settled(Item<?> item, Outcome outcome, int attempts, Optional<Duplicate> duplicate) {
        if (log.isDebugEnabled()) {
            duplicate.ifPresent(why -> log.debug(
                    "Skipped {}, a {} of a message processed at {}.", item.delivery(), why.kind(), why.first()));
        }
        tell(new Consumption(
                level, item.delivery(), outcome, attempts, duplicate, Optional.empty(), false, item.handlerNanos()));
    }

    void failed(Item<?> item, Outcome outcome, int attempts, Throwable failure) {
        tell(new Consumption(
                level,
                item.delivery(),
                outcome,
                attempts,
                Optional.empty(),
                Optional.of(failure),
                false,
                item.handlerNanos()));
    }

    void transientlyFailed(Item<?> item, Throwable failure) {
        tell(new Consumption(
                level,
                item.delivery(),
                Outcome.RELEASED,
                0,
                Optional.empty(),
                Optional.of(failure),
                true,
                item.handlerNanos()));
    }

    /** Tells of a handler that ended its transaction itself; the first time in the log, too. */
    void committedEarly(Item<?> first) {
        String text =
                "The handler of {} ended its transaction itself, by a statement that commits (such as TRUNCATE or CREATE"
                        + " TABLE on some databases), by commit() or setAutoCommit(..), or through another transaction manager. Nothing is lost, and"
                        + " nothing is doubled unless this process dies in between: then what it committed happens again. Let such"
                        + " work have a transaction of its own (REQUIRES_NEW).";
        if (isEarlyCommitTold.compareAndSet(false, true)) {
            log.error(text, first.delivery());
        } else {
            log.debug(text, first.delivery());
        }
        try {
            listener.onEarlyCommit(first.delivery());
        } catch (RuntimeException e) {
            log.warn(
                    "The consumption listener failed for {}; the consumption itself is not affected.",
                    first.delivery(),
                    e);
        }
    }

    /** Returns whether a handler has ever ended its transaction itself. */
    boolean isCommittedEarly() {
        return isEarlyCommitTold.get();
    }

    void tell(Consumption consumption) {
        try {
            listener.onConsumption(consumption);
        } catch (RuntimeException e) {
            log.warn(
                    "The consumption listener failed for {}; the consumption itself is not affected.",
                    consumption.delivery(),
                    e);
        }
    }
}
