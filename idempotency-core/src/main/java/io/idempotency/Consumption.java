package io.idempotency;

import io.idempotency.store.Delivery;
import java.util.Optional;

/**
 * One consumption of one delivery, reported once its outcome is final: after the commit, never before. A delivery that is only released because
 * another one of its partition failed is not reported.
 *
 * @param level the level it was consumed at
 * @param delivery which message, and where it stood
 * @param outcome how it ended
 * @param attempts how many handlers have failed for it so far, this one included; 0 if none, and for transient failures
 * @param duplicate of a {@link Outcome#DUPLICATE}: why
 * @param failure of a failed one: what the handler threw
 * @param transientFailures of a transient failure: how many there have been in a row since its partition got on, this one included; 0 otherwise
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

    /** So many transient failures in a row, and somebody should look: what passes by itself has passed by then, after two minutes or more. */
    public static final int MANY_TRANSIENT_FAILURES = 20;

    /** Returns whether the failure says nothing about the message, so that it was not counted as an attempt. */
    public boolean isTransient() {
        return transientFailures > 0;
    }

    /** Returns whether the message fails for a transient reason again and again, so that its partition does not get on. */
    public boolean isStuck() {
        return transientFailures >= MANY_TRANSIENT_FAILURES;
    }
}
