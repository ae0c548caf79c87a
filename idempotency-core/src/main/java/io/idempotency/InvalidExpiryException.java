package io.idempotency;

import io.idempotency.store.IdempotencyException;

/** The expiry of a message cannot be read. The message fails like one without a usable id: it is neither handled nor taken as expired. */
public final class InvalidExpiryException extends IdempotencyException {

    private static final long serialVersionUID = 1L;

    public InvalidExpiryException(String message) {
        super(message);
    }

    public InvalidExpiryException(String message, Throwable cause) {
        super(message, cause);
    }
}
