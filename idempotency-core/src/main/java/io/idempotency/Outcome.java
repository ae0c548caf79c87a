package io.idempotency;

/** The outcome of the consumption of one delivery. */
public enum Outcome {
    /** The handler ran and its message is recorded. */
    PROCESSED(true),
    /** The message was processed before; the handler did not run. */
    DUPLICATE(true),
    /** The message failed for good and is kept in quarantine. */
    QUARANTINED(true),
    /** The message had expired and is recorded as such; the handler did not run. */
    EXPIRED(true),
    /** A shadow consumer has called the handler; a real run would have skipped the message as a duplicate, or because it is in quarantine. */
    WOULD_SKIP(true),
    /** A shadow consumer has called the handler; a real run would have found the message expired. */
    WOULD_EXPIRE(true),
    /** A shadow consumer has called the handler; a real run would have refused the message: it has no usable id, or the store cannot judge it. */
    WOULD_REFUSE(true),
    /** Nothing was recorded: the message failed and is retried, or stands behind one that failed. */
    RELEASED(false),
    /** Another owner holds a lease on the message: deliver it again later. */
    IN_PROGRESS(false);

    private final boolean settled;

    Outcome(boolean settled) {
        this.settled = settled;
    }

    /**
     * Returns whether the message needs no other delivery: its offset may be committed. Otherwise it has to be delivered again, as a new object. What was consumed
     * in a transaction of the caller is settled only when that has committed.
     */
    public boolean isSettled() {
        return settled;
    }
}
