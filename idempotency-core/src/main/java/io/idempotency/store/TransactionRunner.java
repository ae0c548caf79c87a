package io.idempotency.store;

/**
 * Runs work in a transaction: joins the one that is active on the thread or begins one, commits it when the work returns
 * and rolls it back when the work throws. Spring's {@code TransactionTemplate} fits by a lambda:
 * {@code work -> template.executeWithoutResult(status -> work.run())}.
 */
@FunctionalInterface
public interface TransactionRunner {

    /**
     * Runs the work once. Exceptions of the work leave unchanged.
     *
     * <p>If it returns normally without having joined an outer transaction, the commit was confirmed. If the commit fails
     * or its outcome is unknown, it throws.
     */
    void inTransaction(Runnable work);
}
