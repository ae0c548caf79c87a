package io.idempotency.store;

/** Another transaction has held a message, or something that its claim needs, for longer than the claim timeout. */
public final class ClaimTimeoutException extends TransientStoreException {

    private static final long serialVersionUID = 1L;

    public ClaimTimeoutException(String message) {
        super(message);
    }

    public ClaimTimeoutException(String message, Throwable cause) {
        super(message, cause);
    }
}
