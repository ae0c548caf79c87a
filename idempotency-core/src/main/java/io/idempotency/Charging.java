package io.idempotency;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Payload;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Charges messages that failed alone: each is retried, quarantined, left to the caller, or makes its partition stand still. Thread-safe. */
final class Charging {

    private final Policy policy;
    private final Draining draining;
    private final Lanes lanes;
    private final TransientStops transients;
    private final ChargedStops stops;
    private final Quarantining quarantining;

    Charging(Settings<?> settings, Lanes lanes, Reports reports, TransientStops transients) {
        this.policy = new Policy(settings.failures());
        this.draining = new Draining(settings.failures().standStillAfter(), lanes);
        this.lanes = lanes;
        this.transients = transients;
        this.stops = new ChargedStops(reports);
        this.quarantining = new Quarantining(settings, lanes, draining, transients, stops);
    }

    Policy policy() {
        return policy;
    }

    Quarantining quarantining() {
        return quarantining;
    }

    /** Charges a message that failed alone: settles it as quarantined or stops its partition. A transient failure is not charged. */
    <T> void charge(Poll<T> poll, Item<T> item, Throwable failure, Function<? super T, Payload> reader) {
        if (transients.isTransient(failure) || transients.isDoubtful(item, failure)) {
            transients.stop(poll, List.of(item), failure);
            return;
        }
        int attempts = lanes.countFailure(item.lane(), item.delivery().id(), 1);
        charge(poll, item, new Charge<>(failure, attempts, Optional.empty(), reader));
    }

    /** Charges a message whose claim is held: a lease, or a committed claim. */
    <T> void charge(Poll<T> poll, Item<T> item, Charge<T> charge) {
        Throwable failure = charge.failure();
        if (item.isKeyUnknown()) {
            stops.standStill(poll, item, charge, "its key is unknown");
            return;
        }
        FailurePolicy.Decision decision;
        try {
            decision = policy.decide(item.delivery(), charge.attempts(), failure);
        } catch (Throwable e) {
            Causes.letFatalLeave(e);
            stops.standStill(
                    poll, item, charge, "the failure policy failed: " + FailureText.line(e) + ". " + ChargedStops.MEND);
            return;
        }
        if (quarantining.isPossible() && decision.action() != FailurePolicy.Action.LEAVE) {
            Payload unused = quarantining.kept(item, charge);
        }
        if (decision.action() == FailurePolicy.Action.RETRY) {
            stops.retry(poll, item, charge, decision.retryAfter());
        } else if (draining.isReadingWrong(item, failure)) {
            poll.stop(item, IdempotentConsumer.STAND_STILL, Optional.of(failure));
            stops.standStill(poll, item, charge, Draining.whyReadingIsWrong(failure));
        } else if (decision.action() == FailurePolicy.Action.LEAVE) {
            stops.stop(poll, item, Duration.ZERO, charge);
        } else if (!quarantining.isPossible()) {
            stops.standStill(
                    poll,
                    item,
                    charge,
                    "there is no quarantine store. Mend the handler or the message, or set quarantine(..)");
        } else if (isDraining(item, charge)) {
            stops.standStill(poll, item, charge, draining.whyOneTooMany(item));
        } else {
            quarantining.quarantine(poll, item, charge);
        }
    }

    /**
     * Stops the partition of a message that must not be tried yet, because too many before it failed in the same way. For a level that tries no message twice.
     * Returns whether it did.
     */
    <T> boolean pauses(Poll<T> poll, Item<T> item) {
        Duration pause = draining.pauseOf(item.lane());
        if (!pause.isZero()) {
            stops.pause(poll, item, draining.whyPaused(item.lane()), pause);
        }
        return !pause.isZero();
    }

    private boolean isDraining(Item<?> item, Charge<?> charge) {
        return draining.isOneTooMany(item, charge.failure())
                && (charge.held().isPresent() || !quarantining.isSettled(item, charge.failure()));
    }

    /**
     * Quarantines a message that failed, because the caller decided so.
     *
     * @param counted how many attempts the caller knows of; a message whose handler did not run here has none
     */
    <T> void quarantine(
            Poll<T> poll, Item<T> item, Throwable failure, int counted, Function<? super T, Payload> reader) {
        if (!quarantining.isPossible()) {
            throw new IdempotencyException(
                    "There is no quarantine store for " + item.delivery() + ": set one by quarantine(..)");
        }
        int known = lanes.attempts(item.lane(), item.delivery().id());
        int attempts = known == 0 ? 0 : Math.max(known, counted);
        Charge<T> charge = new Charge<>(failure, attempts, Optional.empty(), reader);
        if (item.isKeyUnknown()) {
            stops.standStill(poll, item, charge, "its key is unknown");
        } else if (isDraining(item, charge)) {
            // The failure was reported when it was left to the caller.
            stops.tellStandStill(item, charge, draining.whyOneTooMany(item));
            poll.stopCharged(item, IdempotentConsumer.STAND_STILL, failure);
        } else {
            quarantining.quarantine(poll, item, charge);
        }
    }
}
