package io.idempotency;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Position;

/** The key of a message could not be read, so that nobody knows which messages it must follow. Never leaves a stop. */
final class UnknownKeyException extends IdempotencyException {

    private static final long serialVersionUID = 1L;

    UnknownKeyException(Position position, Throwable cause) {
        super(
                "The order of keys cannot be kept for the message at " + position + ". " + FailureText.message(cause),
                cause);
    }
}
