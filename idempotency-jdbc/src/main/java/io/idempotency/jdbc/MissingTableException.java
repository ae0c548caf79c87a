package io.idempotency.jdbc;

import io.idempotency.store.IdempotencyException;

/** A table of a store is not there, or this user or connection does not reach it. */
public final class MissingTableException extends IdempotencyException {

    private static final long serialVersionUID = 1L;

    MissingTableException(String message, Throwable cause) {
        super(message, cause);
    }
}
