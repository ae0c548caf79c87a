package io.idempotency;

import io.idempotency.store.Delivery;
import java.time.Duration;

/**
 * Decides what becomes of a message whose handler failed, alone and not for a transient reason. If it throws or
 * decides nothing, the partition of the message stands still. Thread-safe.
 *
 * <p>Without a quarantine store, a message that is to be quarantined makes its partition stand still: it is tried again every
 * {@link IdempotentConsumer#STAND_STILL}.
 */
@FunctionalInterface
public interface FailurePolicy {

    /** Decides; called once per failure, outside any transaction. */
    Decision decide(Failure failure);

    /**
     * A failure of a message.
     *
     * @param attempt how many handlers have failed for this message, from 1
     */
    record Failure(Delivery delivery, int attempt, Throwable cause) {}

    /**
     * What to do.
     *
     * @param retryAfter when to try again; the partition keeps its order and waits
     */
    record Decision(Action action, Duration retryAfter) {

        /** Tries again after the time given. */
        public static Decision retryAfter(Duration backOff) {
            return new Decision(Action.RETRY, backOff);
        }

        /** Puts the message into quarantine, so that its partition goes on. */
        public static Decision quarantine() {
            return new Decision(Action.QUARANTINE, Duration.ZERO);
        }

        /** Leaves the message to the caller, who delivers it again or calls {@link IdempotentConsumer#quarantine}. */
        public static Decision leave() {
            return new Decision(Action.LEAVE, Duration.ZERO);
        }
    }

    /** The kinds of decisions. */
    enum Action {
        RETRY,
        QUARANTINE,
        LEAVE
    }

    /**
     * Returns a policy that tries up to {@code attempts} times, with back-off from 100 ms doubling to 30 s, and then
     * quarantines. A message without a usable id is quarantined at once. A value that cannot be deserialized is tried again like
     * any other, for a registry of schemas may be away; {@link RetryPolicy#quarantineOn} shortens that. Attempts are counted in
     * this process; under {@link ConsistencyLevel#AT_LEAST_ONCE} up to 255 of them are known after a restart.
     */
    static RetryPolicy quarantineAfter(int attempts) {
        return RetryPolicy.of(attempts);
    }

    /** Returns a policy that leaves every failure to the caller, for containers with error handlers of their own. */
    static FailurePolicy leaveToCaller() {
        return failure -> Decision.leave();
    }
}
