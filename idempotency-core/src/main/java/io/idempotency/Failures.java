package io.idempotency;

import io.idempotency.store.Claim;
import io.idempotency.store.ClaimLostException;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Payload;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantinedMessage;
import io.idempotency.store.TransactionLostException;
import io.idempotency.store.TransactionRunner;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What becomes of failures: transient ones stop their partitions for a while and count nothing; a message that failed alone is
 * charged, and retried, quarantined, or makes its partition stand still. Thread-safe.
 */
final class Failures {

    private static final Logger log = LoggerFactory.getLogger(IdempotentConsumer.class);

    static final String AGAIN = "nothing tries it again by itself: deliver it again";
    private static final String MEND = "Mend the handler or the message";

    private final ClaimStore store;
    private final TransactionRunner transactions;
    private final Optional<QuarantineStore> quarantine;
    private final Policy policy;
    private final Draining draining;
    private final boolean keepPayloads;
    private final Lanes lanes;
    private final Reports reports;

    Failures(Settings<?> settings, Lanes lanes, Reports reports) {
        this.store = settings.store();
        this.transactions = settings.transactions();
        this.quarantine = settings.quarantine();
        this.policy = new Policy(settings);
        this.draining = new Draining(settings, lanes);
        this.keepPayloads = settings.keepPayloads();
        this.lanes = lanes;
        this.reports = reports;
    }

    Policy policy() {
        return policy;
    }

    /** Returns whether the failure says nothing about the message, as whatever fails while the thread is to end. */
    boolean isTransient(Throwable failure) {
        return isPassing(failure)
                || Causes.isInterruption(failure)
                || Thread.currentThread().isInterrupted();
    }

    private boolean isPassing(Throwable failure) {
        try {
            return store.transactions().isTransient(failure);
        } catch (Throwable broken) {
            Causes.letFatalLeave(broken);
            return false;
        }
    }

    /**
     * Returns whether what a handler caught may have passed by now: the database rolled its transaction back, as it does after a deadlock
     * or a lock timeout. Nobody can tell, so only what goes on for long is charged.
     */
    private boolean isDoubtful(Item<?> item, Throwable failure) {
        return lanes.transientsInARow(item.lane()) < Consumption.MANY_TRANSIENT_FAILURES
                && Causes.of(failure).stream()
                        .anyMatch(cause -> cause instanceof TransactionLostException lost && lost.isRolledBack());
    }

    /** Stops the partitions of the items: nothing was done, nothing is counted, the work is run again in smaller chunks. */
    <T> void stopTransiently(Poll<T> poll, List<Item<T>> items, Throwable failure) {
        poll.noteInterruption(failure);
        for (Item<T> item : Poll.firstOfEachLane(items)) {
            Lanes.Passing passing = lanes.transientFailure(item.lane(), items.size());
            poll.stop(item, passing.pause(), Optional.of(failure));
            reports.transientlyFailed(item, passing, failure);
        }
    }

    /** Returns the exception that tells of a store that refuses the messages, or cannot work at all; nothing was recorded. */
    StoreFailure storeFailure(List<? extends Item<?>> items, Throwable failure) {
        String what = failure instanceof IdempotencyException ? "The store refuses " : "The store cannot be used for ";
        return new StoreFailure(
                what + named(items) + "; nothing was recorded. " + FailureText.message(failure), failure);
    }

    /** Names the first of the messages, and how many there are. */
    static String named(List<? extends Item<?>> items) {
        Delivery first = items.get(0).delivery();
        return items.size() == 1 ? first.toString() : first + " and " + (items.size() - 1) + " more";
    }

    /** Charges a message that failed alone: settles it as quarantined or stops its partition. A transient failure is not charged. */
    <T> void charge(Poll<T> poll, Item<T> item, Throwable failure, Function<? super T, Payload> reader) {
        if (isTransient(failure) || isDoubtful(item, failure)) {
            stopTransiently(poll, List.of(item), failure);
            return;
        }
        int attempts = lanes.countFailure(item.lane(), item.delivery().id(), 1);
        charge(poll, item, new Charge<>(failure, attempts, Optional.empty(), reader));
    }

    /** Charges a message whose claim is held: a lease, or a committed claim. */
    <T> void charge(Poll<T> poll, Item<T> item, Charge<T> charge) {
        Delivery delivery = item.delivery();
        Throwable failure = charge.failure();
        FailurePolicy.Decision decision;
        try {
            decision = policy.decide(delivery, charge.attempts(), failure);
        } catch (Throwable e) {
            Causes.letFatalLeave(e);
            standStill(poll, item, charge, "the failure policy failed: " + FailureText.line(e) + ". " + MEND);
            return;
        }
        if (quarantine.isPresent() && decision.action() != FailurePolicy.Action.LEAVE) {
            lanes.payload(item.lane(), delivery.id(), () -> payload(item, charge.reader()));
        }
        if (decision.action() == FailurePolicy.Action.RETRY) {
            warnOfRetry(item, charge, decision.retryAfter());
            stop(poll, item, decision.retryAfter(), charge);
        } else if (draining.isReadingWrong(item, failure)) {
            poll.stop(item, IdempotentConsumer.STAND_STILL, Optional.of(failure));
            standStill(poll, item, charge, Draining.whyReadingIsWrong(failure));
        } else if (decision.action() == FailurePolicy.Action.LEAVE) {
            stop(poll, item, Duration.ZERO, charge);
        } else if (quarantine.isEmpty()) {
            standStill(
                    poll,
                    item,
                    charge,
                    "there is no quarantine store. Mend the handler or the message, or set quarantine(..)");
        } else if (isDraining(item, charge)) {
            standStill(poll, item, charge, draining.whyOneTooMany(item));
        } else {
            quarantine(poll, item, charge, quarantine.get());
        }
    }

    private boolean isDraining(Item<?> item, Charge<?> charge) {
        return draining.isOneTooMany(item, charge.failure())
                && (charge.held().isPresent() || !isSettled(item, charge.failure()));
    }

    /** Quarantines a message that failed, at the caller's decision. */
    <T> void quarantine(Poll<T> poll, Item<T> item, Throwable failure, Function<? super T, Payload> reader) {
        QuarantineStore into = quarantine.orElseThrow(() -> new IdempotencyException(
                "There is no quarantine store for " + item.delivery() + ": set one by quarantine(..)"));
        int attempts = lanes.attempts(item.lane(), item.delivery().id());
        Charge<T> charge = new Charge<>(failure, attempts, Optional.empty(), reader);
        if (isDraining(item, charge)) {
            // The failure was reported when it was left to the caller.
            tellStandStill(item, charge, draining.whyOneTooMany(item));
            poll.stopCharged(item, IdempotentConsumer.STAND_STILL, failure);
        } else {
            quarantine(poll, item, charge, into);
        }
    }

    /**
     * A failure to charge.
     *
     * @param attempts how many handlers have failed for the message
     * @param held the claim that is held, if one is
     * @param reader reads the raw bytes
     */
    record Charge<T>(Throwable failure, int attempts, Optional<Claim> held, Function<? super T, Payload> reader) {}

    /**
     * Records a message whose claim is committed and whose handler failed, never to be repeated. If even that fails, the log has all
     * that is known.
     */
    <T> void recordFailed(Item<T> item, Claim claim, Throwable failure, Function<? super T, Payload> reader) {
        Payload payload = quarantine.isPresent() ? payload(item, reader) : Payload.none(Payload.Origin.SWITCHED_OFF);
        log.error(
                "The handler of {} failed. At most once, so it is not repeated. It is kept in {}, {}.",
                item.delivery(),
                quarantine.<Object>map(into -> into).orElse("this line only"),
                Reports.bytes(payload, item.delivery().position()),
                FailureText.loggable(failure));
        QuarantinedMessage message = new QuarantinedMessage(item.delivery(), payload, FailureText.trace(failure), 1);
        try {
            transactions.inTransaction(() -> {
                store.quarantine(claim);
                quarantine.ifPresent(into -> into.save(message));
            });
        } catch (Throwable e) {
            Causes.letFatalLeave(e);
            log.error(
                    "The failure of {} could not be recorded in the quarantine.",
                    item.delivery(),
                    FailureText.loggable(e));
        }
        item.outcome(Outcome.QUARANTINED);
        reports.failed(item, Outcome.QUARANTINED, 1, failure);
    }

    /** A message that is not claimed when it is charged may be settled already. */
    boolean isSettled(Item<?> item, Throwable failure) {
        try {
            return store.find(item.delivery().id()).isPresent();
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
            return false;
        }
    }

    private static void warnOfRetry(Item<?> item, Charge<?> charge, Duration retryAfter) {
        if (item.lane().isOrdered()) {
            log.warn(
                    "Attempt {} of {} failed; its partition goes on in {} ms.",
                    charge.attempts(),
                    item.delivery(),
                    retryAfter.toMillis(),
                    FailureText.loggable(charge.failure()));
        } else {
            log.warn(
                    "Attempt {} of {} failed; {}.",
                    charge.attempts(),
                    item.delivery(),
                    AGAIN,
                    FailureText.loggable(charge.failure()));
        }
    }

    /** Without a position there is no partition that comes again, only the caller's next delivery. */
    private <T> void standStill(Poll<T> poll, Item<T> item, Charge<T> charge, String why) {
        tellStandStill(item, charge, why);
        stop(poll, item, IdempotentConsumer.STAND_STILL, charge);
    }

    private static void tellStandStill(Item<?> item, Charge<?> charge, String why) {
        String after = Reports.after(charge.attempts());
        if (item.lane().isOrdered()) {
            log.error(
                    "Partition {} stands still at {} {}, for {}; it is tried again every {} s. Nothing behind it is lost.",
                    item.lane(),
                    item.delivery(),
                    after,
                    why,
                    IdempotentConsumer.STAND_STILL.toSeconds(),
                    FailureText.loggable(charge.failure()));
        } else {
            log.error(
                    "{} is not settled {}, for {}; then deliver it again.",
                    item.delivery(),
                    after,
                    why,
                    FailureText.loggable(charge.failure()));
        }
    }

    private <T> void stop(Poll<T> poll, Item<T> item, Duration retryAfter, Charge<T> charge) {
        poll.stopCharged(item, retryAfter, charge.failure());
        reports.failed(item, Outcome.RELEASED, charge.attempts(), charge.failure());
    }

    private <T> void quarantine(Poll<T> poll, Item<T> item, Charge<T> charge, QuarantineStore into) {
        QuarantinedMessage message = new QuarantinedMessage(
                item.delivery(),
                lanes.payload(item.lane(), item.delivery().id(), () -> payload(item, charge.reader())),
                FailureText.trace(charge.failure()),
                charge.attempts());
        Settling settling = new Settling();
        try {
            transactions.inTransaction(() -> {
                Claim claim = charge.held()
                        .orElseGet(() -> store.claim(List.of(item.delivery())).get(0));
                settling.claim = Optional.of(claim);
                if (claim.isGranted()) {
                    store.quarantine(claim);
                    into.save(message);
                }
                store.transactions().afterCommit(() -> settling.isCommitted = true);
            });
        } catch (ClaimLostException e) {
            log.debug("Another attempt decides. {}", e.getMessage());
            stop(poll, item, lanes.waitForOther(item.lane()), charge);
            return;
        } catch (Throwable e) {
            Causes.letFatalLeave(e);
            if (e != charge.failure()) {
                e.addSuppressed(charge.failure());
            }
            if (isTransient(e)) {
                stopTransiently(poll, List.of(item), e);
            } else {
                log.error("{} cannot be quarantined.", item.delivery(), FailureText.loggable(e));
                standStill(poll, item, charge, "it cannot be quarantined: " + FailureText.line(e) + ". " + MEND);
            }
            return;
        }
        settle(poll, item, charge, settling, () -> reports.quarantined(message, into, charge.failure()));
    }

    private <T> void settle(Poll<T> poll, Item<T> item, Charge<T> charge, Settling settling, Runnable told) {
        Claim claim = settling.claim.orElseThrow();
        if (!settling.isCommitted || claim.status() == Claim.Status.IN_PROGRESS) {
            stop(poll, item, lanes.waitForOther(item.lane()), charge);
        } else if (claim.status() == Claim.Status.DUPLICATE) {
            item.outcome(Outcome.DUPLICATE);
            lanes.skipped(item.lane(), item.delivery().id());
            reports.settled(item, Outcome.DUPLICATE, 0, Reports.duplicate(claim));
        } else {
            item.outcome(Outcome.QUARANTINED);
            draining.quarantined(item, charge.failure());
            reports.failed(item, Outcome.QUARANTINED, charge.attempts(), charge.failure());
            told.run();
        }
    }

    private static final class Settling {
        private Optional<Claim> claim = Optional.empty();
        private boolean isCommitted;
    }

    private <T> Payload payload(Item<T> item, Function<? super T, Payload> reader) {
        if (!keepPayloads) {
            return Payload.none(Payload.Origin.SWITCHED_OFF);
        }
        try {
            return Objects.requireNonNull(reader.apply(item.message()));
        } catch (Throwable e) {
            Causes.letFatalLeave(e);
            log.warn(
                    "The bytes of {} cannot be read for the quarantine; only its position is kept.",
                    item.delivery(),
                    FailureText.loggable(e));
            return Payload.none(Payload.Origin.POSITION_ONLY);
        }
    }
}
