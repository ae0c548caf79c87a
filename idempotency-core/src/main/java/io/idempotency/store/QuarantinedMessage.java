package io.idempotency.store;

/**
 * A message that failed for good, with everything needed to understand and to replay it.
 *
 * @param delivery the message and its position
 * @param payload its bytes
 * @param failure why it failed
 * @param attempts how often its handler failed in the process that quarantined it, and in replays since; with leases, how often it was started in all processes
 * @param keyHash hash of its key, equal in every process; 0 without a key or if unknown
 * @param isBehind whether its handler was not started, because an earlier message of its key is in quarantine
 * @param isDoubtful whether its effect may have happened, because its handler failed under {@code AT_MOST_ONCE}
 */
public record QuarantinedMessage(
        Delivery delivery,
        Payload payload,
        QuarantineFailure failure,
        int attempts,
        long keyHash,
        boolean isBehind,
        boolean isDoubtful) {

    /** Returns a message whose failure has rolled its effect back. */
    public QuarantinedMessage(
            Delivery delivery,
            Payload payload,
            QuarantineFailure failure,
            int attempts,
            long keyHash,
            boolean isBehind) {
        this(delivery, payload, failure, attempts, keyHash, isBehind, false);
    }

    /** Returns a message without an order of keys. */
    public QuarantinedMessage(Delivery delivery, Payload payload, QuarantineFailure failure, int attempts) {
        this(delivery, payload, failure, attempts, 0, false);
    }
}
