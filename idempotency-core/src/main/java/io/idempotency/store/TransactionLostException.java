package io.idempotency.store;

/**
 * The transaction that claimed is not the one that is about to commit: it was aborted, rolled back or committed behind the
 * flow's back, usually because a handler caught a database error and went on. Raised instead of committing; nothing was
 * processed.
 */
public final class TransactionLostException extends IdempotencyException {

    private static final long serialVersionUID = 1L;

    private final boolean isRolledBack;

    public TransactionLostException(String message) {
        super(message);
        this.isRolledBack = false;
    }

    public TransactionLostException(String message, Throwable cause) {
        super(message, cause);
        this.isRolledBack = false;
    }

    private TransactionLostException(String message, boolean isRolledBack) {
        super(message);
        this.isRolledBack = isRolledBack;
    }

    /**
     * Returns the exception for a transaction that the database rolled back, for example after a deadlock or a lock timeout that a handler then
     * caught. The same work may succeed later.
     */
    public static TransactionLostException rolledBack(String message) {
        return new TransactionLostException(message, true);
    }

    /** Returns whether the database rolled the transaction back, for a reason that may have passed. */
    public boolean isRolledBack() {
        return isRolledBack;
    }
}
