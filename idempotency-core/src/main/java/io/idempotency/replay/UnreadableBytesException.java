package io.idempotency.replay;

import io.idempotency.store.IdempotencyException;

/** The bytes of a quarantined message are gone, or make no record. The message stays in quarantine, with this failure or its cause. */
public final class UnreadableBytesException extends IdempotencyException {

    private static final long serialVersionUID = 1L;

    /** Creates an exception for bytes that are gone. The failure that led to the quarantine is kept beside it. */
    public UnreadableBytesException(String message) {
        super(message);
    }

    /** Creates an exception for bytes that make no record. The quarantine keeps the cause as the failure of the message. */
    public UnreadableBytesException(String message, Throwable cause) {
        super(message, cause);
    }
}
