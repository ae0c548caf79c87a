package io.idempotency.store;

/**
 * The transaction that claimed is not the one that is about to commit: it was aborted, rolled back or committed behind the
 * flow's back, usually because a handler caught a database error and went on. Raised instead of committing; nothing was
 * processed.
 */
public final class TransactionLostException extends IdempotencyException {

    private static final long serialVersionUID = 1L;

    public TransactionLostException(String message) {
        super(message);
    }

    public TransactionLostException(String message, Throwable cause) {
        super(message, cause);
    }
}
