package io.idempotency;

import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks the failure policy of the user, and checks its answers. Thread-safe. */
final class Policy {

    private static final Logger log = LoggerFactory.getLogger(IdempotentConsumer.class);

    private final FailurePolicy users;
    private final boolean hasQuarantine;

    Policy(Settings.Failures settings) {
        this.users = settings.policy();
        this.hasQuarantine = settings.quarantine().isPresent();
    }

    /**
     * Returns the decision, with a back-off that fits a number of milliseconds. Exceptions of the policy leave unchanged.
     *
     * @throws IdempotencyException if it decided nothing
     */
    FailurePolicy.Decision decide(Delivery delivery, int attempts, Throwable failure) {
        FailurePolicy.Decision decision = users.decide(new FailurePolicy.Failure(delivery, attempts, failure));
        if (decision == null || decision.action() == null || decision.retryAfter() == null) {
            throw new IdempotencyException("it decided nothing for " + delivery);
        }
        return decision.retryAfter().compareTo(Poll.NO_LIMIT) > 0
                ? new FailurePolicy.Decision(decision.action(), Poll.NO_LIMIT)
                : decision;
    }

    /**
     * Returns whether no further handler is started for a message after so many did not complete. The first start may not have happened:
     * every lease that a process held when it died counts as one start.
     */
    boolean isEnough(Delivery delivery, int starts, Throwable failure) {
        if (starts <= 1) {
            return false;
        }
        try {
            return switch (decide(delivery, starts, failure).action()) {
                case RETRY -> false;
                case QUARANTINE -> hasQuarantine;
                case LEAVE -> starts >= RetryPolicy.DEFAULT_ATTEMPTS;
            };
        } catch (Throwable e) {
            Causes.letFatalLeave(e);
            log.warn(
                    "The failure policy failed for {}; its handler is started once more.",
                    delivery,
                    FailureText.loggable(e));
            return false;
        }
    }
}
