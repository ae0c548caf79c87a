package io.idempotency;

import io.idempotency.store.Delivery;
import java.util.Optional;

/**
 * The consumption of one delivery, reported when its outcome is final: after the commit, never before. A delivery that is released only because
 * another one of its partition failed is not reported.
 *
 * @param level the level it was consumed at
 * @param delivery the message and its position
 * @param outcome how it ended
 * @param attempts how many handlers have failed for it so far, this one included; 0 if none, and for transient failures
 * @param duplicate why it is a {@link Outcome#DUPLICATE} or {@link Outcome#WOULD_SKIP}; empty for every other outcome
 * @param failure why it failed; empty if it did not
 * @param transientFailures how many transient failures its partition has had in a row, this one included; 0 if this is none
 * @param handlerNanos how long the handler call took that covered this message; 0 if none did
 */
public record Consumption(
        ConsistencyLevel level,
        Delivery delivery,
        Outcome outcome,
        int attempts,
        Optional<Duplicate> duplicate,
        Optional<Throwable> failure,
        int transientFailures,
        long handlerNanos) {

    /** How many transient failures in a row are a reason to look: after two minutes or more, an outage that passes by itself has passed. */
    public static final int MANY_TRANSIENT_FAILURES = 20;

    /** Returns whether the failure says nothing about the message, so that it was not counted as an attempt. */
    public boolean isTransient() {
        return transientFailures > 0;
    }

    /** Returns whether the message has failed transiently so often that somebody should look. */
    public boolean isStuck() {
        return transientFailures >= MANY_TRANSIENT_FAILURES;
    }
}
