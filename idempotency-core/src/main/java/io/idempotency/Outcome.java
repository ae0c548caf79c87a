package io.idempotency;

/** How the consumption of one delivery ended. */
public enum Outcome {
    /** The handler ran and its message is recorded. */
    PROCESSED(true),
    /** The message was processed before; the handler did not run. */
    DUPLICATE(true),
    /** The message failed for good and is kept in quarantine. */
    QUARANTINED(true),
    /** Nothing was recorded: it failed and will be retried, or it stands behind one that does. */
    RELEASED(false),
    /** Somebody else holds a lease on the message: come back later. */
    IN_PROGRESS(false);

    private final boolean settled;

    Outcome(boolean settled) {
        this.settled = settled;
    }

    /** Returns whether the offset of the delivery may be committed. */
    public boolean isSettled() {
        return settled;
    }
}
