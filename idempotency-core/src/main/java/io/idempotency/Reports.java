package io.idempotency;

import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantinedMessage;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells the listener and the log how consumptions ended. */
final class Reports {

    /** The listener of a consumer without one. */
    static final ConsumptionListener NOBODY = consumption -> {};

    static final String AGAIN = "nothing tries it again by itself: deliver it again";

    private static final Logger log = LoggerFactory.getLogger(IdempotentConsumer.class);

    /** How long a partition may fail transiently before the log warns. */
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final ConsistencyLevel level;
    private final ConsumptionListener listener;
    private final StoppedLanes stopped;
    private final LateDuplicates late;
    private final AtomicBoolean isEarlyCommitTold = new AtomicBoolean();

    Reports(Settings<?> settings, LongSupplier nanoTime) {
        this.level = settings.level();
        this.listener = settings.listener();
        this.late = new LateDuplicates(settings.storage().store(), nanoTime);
        this.stopped = new StoppedLanes(nanoTime);
    }

    static Optional<Duplicate> duplicate(Claim claim) {
        if (claim.status() != Claim.Status.DUPLICATE) {
            return Optional.empty();
        }
        Delivery delivery = claim.delivery();
        return Optional.of(claim.processed()
                .map(first -> Duplicate.of(delivery.position(), first.position(), first.age()))
                .orElseGet(() -> new Duplicate(Duplicate.Kind.UNKNOWN, Position.UNKNOWN, Duration.ZERO)));
    }

    void settled(Item<?> item, Outcome outcome, int attempts, Optional<Duplicate> duplicate) {
        if (outcome == Outcome.EXPIRED) {
            log.debug("Skipped {}: it has expired.", item.delivery());
        }
        if (duplicate.isPresent()) {
            Duplicate why = duplicate.get();
            log.debug("Skipped {}, a {} of a message processed at {}.", item.delivery(), why.kind(), why.first());
            late.note(item.delivery(), why.age());
        }
        tell(
                item,
                new Consumption(
                        level,
                        item.delivery(),
                        outcome,
                        attempts,
                        duplicate,
                        Optional.empty(),
                        0,
                        item.handlerNanos()));
    }

    /** Tells of messages that were processed together. */
    void processed(List<? extends Item<?>> items) {
        if (stopped.isEmpty() && listener == NOBODY) {
            return;
        }
        items.forEach(item -> settled(item, Outcome.PROCESSED, 0, Optional.empty()));
    }

    /** Tells the result of a comparison of a message that was sent again. */
    void compared(Item<?> item, Position first, ResendCheck.Result result) {
        if (result == ResendCheck.Result.DIFFERENT) {
            log.warn(
                    "{} is another message than the one at {}, which was processed with the same id. The sender gives one id to several messages.",
                    item.delivery(),
                    first);
        }
        tell(item.delivery(), () -> listener.onResendChecked(item.delivery(), first, result));
    }

    /** Tells of a message that another process has claimed, which may have died since. */
    void inProgress(Item<?> item, Duration wait) {
        log.info(
                "{} is claimed by another process, or was by one that died. {} until that claim ends: at most"
                        + " 5 minutes after such a death, or the time of a lease. The next look is in {} ms.",
                item.delivery(),
                item.lane().isAlone() ? "It waits, and others do not," : "The messages behind it wait",
                wait.toMillis());
        settled(item, Outcome.IN_PROGRESS, 0, Optional.empty());
    }

    void failed(Item<?> item, Outcome outcome, int attempts, Throwable failure) {
        boolean unused = failed(item, outcome, attempts, failure, 0);
    }

    private boolean failed(Item<?> item, Outcome outcome, int attempts, Throwable failure, int transientsInARow) {
        return tell(
                item,
                new Consumption(
                        level,
                        item.delivery(),
                        outcome,
                        attempts,
                        Optional.empty(),
                        Optional.of(failure),
                        transientsInARow,
                        item.handlerNanos()));
    }

    /** Logs that a message is in quarantine, and where an operator finds it. */
    void quarantined(QuarantinedMessage message, QuarantineStore into, Throwable failure) {
        log.warn(
                "Quarantined {} {}, in {}, {}.{}",
                message.delivery(),
                after(message.attempts()),
                into,
                bytes(message.payload(), message.delivery().position()),
                look(into, message.delivery()),
                FailureText.loggable(failure));
    }

    /** Words how somebody looks at a quarantined message, as a sentence behind another one; empty if no command shows it. */
    static String look(QuarantineStore in, Delivery delivery) {
        return in.showing(delivery).map(command -> " To look at it: " + command).orElse("");
    }

    /** Words how many attempts there were; none if the message could not be read. */
    static String after(int attempts) {
        return switch (attempts) {
            case 0 -> "before its handler was called";
            case 1 -> "after 1 attempt";
            default -> "after " + attempts + " attempts";
        };
    }

    /** Words whether the quarantine has the bytes of a message. */
    static String bytes(Payload payload, Position position) {
        return switch (payload.origin()) {
            case SWITCHED_OFF -> "without its bytes, which are not to be kept";
            case POSITION_ONLY ->
                "without its bytes"
                        + (position.equals(Position.UNKNOWN)
                                ? ""
                                : ": they are in the topic only, until its retention ends");
            default -> "with its bytes";
        };
    }

    void transientlyFailed(Item<?> item, Lanes.Passing passing, Throwable failure) {
        boolean unused = failed(item, Outcome.RELEASED, 0, failure, passing.inARow());
        log(item, passing, failure);
    }

    /** Tells of a handler that ended its transaction itself. The first one is logged as an error. */
    void committedEarly(Item<?> first) {
        String text =
                "The handler of {}, or of a later message of its transaction, ended its transaction itself, by a statement that commits (such as"
                        + " TRUNCATE or CREATE TABLE on some databases), by commit() or setAutoCommit(..), or through another transaction manager."
                        + " Nothing is lost, and nothing is doubled unless this process dies in between: then what it committed happens again. Give such"
                        + " work a transaction of its own (REQUIRES_NEW). SET CONSTRAINTS ALL IMMEDIATE on PostgreSQL commits nothing, but looks the same"
                        + " to this library.";
        if (isEarlyCommitTold.compareAndSet(false, true)) {
            log.error(text, first.delivery());
        } else {
            log.debug(text, first.delivery());
        }
        tell(first.delivery(), () -> listener.onEarlyCommit(first.delivery()));
    }

    /** Tells of leases that other attempts have taken. */
    void lost(List<Claim> leases) {
        leases.forEach(lease -> tell(lease.delivery(), () -> listener.onLeaseLost(lease.delivery())));
    }

    /** Returns whether a handler has ever ended its transaction itself. */
    boolean isCommittedEarly() {
        return isEarlyCommitTold.get();
    }

    /** Tells the listener of a message that the store refuses. {@link Refusals} logs it. Returns whether its partition stops now, and not already before. */
    boolean refused(Item<?> item, Throwable failure) {
        return failed(item, Outcome.RELEASED, 0, failure, 1);
    }

    private static void log(Item<?> item, Lanes.Passing passing, Throwable failure) {
        String next =
                item.lane().isOrdered() ? "it runs again in " + passing.pause().toMillis() + " ms" : AGAIN;
        if (passing.inARow() % Consumption.MANY_TRANSIENT_FAILURES == 0) {
            log.error(
                    "Transient failure at {}, {} in a row, for {} s now. The message is not charged, and nothing behind it"
                            + " is lost; {}.",
                    item.delivery(),
                    passing.inARow(),
                    passing.since().toSeconds(),
                    next,
                    FailureText.loggable(failure));
        } else if (passing.since().compareTo(PATIENCE) >= 0) {
            log.warn(
                    "Transient failure at {} ({}), for {} s now; {}.",
                    item.delivery(),
                    FailureText.lineWithCause(failure),
                    passing.since().toSeconds(),
                    next);
        } else {
            log.info("Transient failure at {} ({}); {}.", item.delivery(), FailureText.lineWithCause(failure), next);
        }
    }

    /** Forgets since when a message waits that another member gets. */
    void gaveUp(Lane lane) {
        stopped.forget(lane);
    }

    void revoked(String consumer, Lane lane) {
        stopped.forget(lane);
        tell(lane, () -> listener.onRevoked(consumer, lane.stream(), lane.partition()));
    }

    private boolean tell(Item<?> item, Consumption consumption) {
        boolean isStopping = stopped.note(item.lane(), consumption.delivery(), consumption.outcome());
        try {
            listener.onConsumption(consumption);
        } catch (Throwable e) {
            failed(consumption.delivery(), e);
        }
        return isStopping;
    }

    static void tell(Object of, Runnable what) {
        try {
            what.run();
        } catch (Throwable e) {
            failed(of, e);
        }
    }

    private static void failed(Object of, Throwable thrown) {
        Causes.letFatalLeave(thrown);
        log.warn(
                "The consumption listener failed for {}; the consumption itself is not affected.",
                of,
                FailureText.loggable(thrown));
    }
}
