package io.idempotency.store;

import java.io.Serial;

/** A partition stands still for a reason that somebody has to look at. The message at which it stands is not charged. */
public final class StandStillException extends IdempotencyException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final String reason;

    /**
     * Creates an exception.
     *
     * @param reason why the partition stands still, in one line, without ids and contents of messages; for health and meters, which everybody may read
     * @param message the same for those who operate it, with what to do
     */
    public StandStillException(String reason, String message) {
        super(message);
        this.reason = reason;
    }

    /** Returns why the partition stands still, without ids and contents of messages. */
    public String reason() {
        return reason;
    }
}
