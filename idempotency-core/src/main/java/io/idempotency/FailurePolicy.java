package io.idempotency;

import io.idempotency.store.Delivery;
import java.time.Duration;

/**
 * Decides about a message that failed alone and not transiently: retry it, quarantine it or leave it to the caller. If the policy throws
 * or returns no decision, the partition of the message stands still. Thread-safe.
 *
 * <p>Without a quarantine store, the decision to quarantine makes the partition stand still: the message is tried again every
 * {@link IdempotentConsumer#STAND_STILL}.
 */
@FunctionalInterface
public interface FailurePolicy {

    /** Decides about a failure. Called once per failure, outside any transaction. */
    Decision decide(Failure failure);

    /**
     * The failure of a message.
     *
     * @param attempt how many handlers have failed for this message, from 1
     */
    record Failure(Delivery delivery, int attempt, Throwable cause) {}

    /**
     * The decision about a failed message.
     *
     * @param retryAfter how long the partition waits before the next attempt; its order is kept
     */
    record Decision(Action action, Duration retryAfter) {

        /** Returns the decision to try again after this time. */
        public static Decision retryAfter(Duration backOff) {
            return new Decision(Action.RETRY, backOff);
        }

        /** Returns the decision to quarantine the message, so that its partition goes on. */
        public static Decision quarantine() {
            return new Decision(Action.QUARANTINE, Duration.ZERO);
        }

        /** Returns the decision to leave the message to the caller, who delivers it again or calls {@link IdempotentConsumer#quarantine}. */
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
     * quarantines. A message without a usable id or with an unreadable expiry is quarantined at once. A value that cannot be deserialized is tried again like
     * any other, because the schema registry may be away; {@link RetryPolicy#quarantineOn} shortens that. Attempts are counted in
     * this process; under {@link ConsistencyLevel#AT_LEAST_ONCE} up to 255 of them survive a restart.
     */
    static RetryPolicy quarantineAfter(int attempts) {
        return RetryPolicy.of(attempts);
    }

    /** Returns a policy that leaves every failure to the caller, for containers with error handlers of their own. */
    static FailurePolicy leaveToCaller() {
        return failure -> Decision.leave();
    }
}
