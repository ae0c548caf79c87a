package io.idempotency;

import io.idempotency.store.IdempotencyException;

/** The store refused messages for good, or cannot be used at all; nothing of them was recorded. */
final class StoreFailure extends IdempotencyException {

    private static final long serialVersionUID = 1L;

    StoreFailure(String message, Throwable cause) {
        super(message, cause);
    }
}
