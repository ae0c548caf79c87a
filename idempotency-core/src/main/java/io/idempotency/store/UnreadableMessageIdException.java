package io.idempotency.store;

/** What was to read a message id failed, so that nobody knows whether the message has one: it may be the reading that is wrong. */
public final class UnreadableMessageIdException extends InvalidMessageIdException {

    private static final long serialVersionUID = 1L;

    public UnreadableMessageIdException(String message, Throwable cause) {
        super(message, cause);
    }
}
