package io.idempotency.store;

/** The transactions that a store takes part in: runs them, and knows how the running one ended. Thread-bound. */
public interface Transactions extends TransactionRunner {

    /** Returns whether a transaction on this store's data is active on the calling thread. */
    boolean isActive();

    /**
     * Runs the action after the active transaction, the outermost one, has committed for certain: not after a rollback, and
     * not when the outcome of the commit is unknown. The action must not use the store.
     *
     * @throws IdempotencyException if no transaction is active
     */
    void afterCommit(Runnable action);

    /**
     * Runs the action if the active transaction was committed after its claim and before its end, for example by a handler that calls {@code
     * commit()} or runs a statement that commits. The action runs before the rest is committed, or after it was rolled back. It must not use the
     * store.
     *
     * @throws IdempotencyException if no transaction is active
     */
    default void ifCommittedEarly(Runnable action) {}

    /**
     * Returns whether the failure, thrown by a handler, a claim or a commit, says nothing about the message, so that the
     * same work runs again and no attempt is counted.
     */
    boolean isTransient(Throwable failure);
}
