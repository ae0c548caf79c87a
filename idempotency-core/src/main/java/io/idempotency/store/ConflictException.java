package io.idempotency.store;

/**
 * The state of a message or a replay does not allow what an operator asks for: a handler works on it, it belongs to a running replay, or there is nothing of
 * that kind. Nothing was changed. The text says what to do first.
 */
public final class ConflictException extends IdempotencyException {

    private static final long serialVersionUID = 1L;

    /** Creates an exception with a sentence for operators. */
    public ConflictException(String message) {
        super(message);
    }
}
