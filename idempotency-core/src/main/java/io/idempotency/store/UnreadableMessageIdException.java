package io.idempotency.store;

/** The code that reads message ids failed, so it is unknown whether the message has one. That code itself may be wrong. */
public final class UnreadableMessageIdException extends InvalidMessageIdException {

    private static final long serialVersionUID = 1L;

    public UnreadableMessageIdException(String message, Throwable cause) {
        super(message, cause);
    }
}
