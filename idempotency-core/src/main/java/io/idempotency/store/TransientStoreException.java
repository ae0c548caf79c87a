package io.idempotency.store;

/**
 * A failure that says nothing about the message: a deadlock, a lock timeout, a lost connection, an empty pool. The
 * transaction is gone; the same work succeeds when it is run again later. Never counts as an attempt.
 */
public sealed class TransientStoreException extends IdempotencyException permits ClaimTimeoutException {

    private static final long serialVersionUID = 1L;

    public TransientStoreException(String message) {
        super(message);
    }

    public TransientStoreException(String message, Throwable cause) {
        super(message, cause);
    }
}
