package io.idempotency.jdbc;

import io.idempotency.store.IdempotencyException;

/** Thrown if a table of a store is missing, or if this user or connection cannot access it. */
public final class MissingTableException extends IdempotencyException {

    private static final long serialVersionUID = 1L;

    MissingTableException(String message, Throwable cause) {
        super(message, cause);
    }
}
