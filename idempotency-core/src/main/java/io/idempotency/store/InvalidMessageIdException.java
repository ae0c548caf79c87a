package io.idempotency.store;

/** A message id is missing, blank, too long or holds characters that cannot be told apart safely. */
public sealed class InvalidMessageIdException extends IdempotencyException permits UnreadableMessageIdException {

    private static final long serialVersionUID = 1L;

    public InvalidMessageIdException(String message) {
        super(message);
    }

    public InvalidMessageIdException(String message, Throwable cause) {
        super(message, cause);
    }
}
