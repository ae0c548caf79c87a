package io.idempotency.spring;

import io.idempotency.store.TransactionRunner;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.transaction.IllegalTransactionStateException;
import org.springframework.transaction.TransactionExecution;
import org.springframework.transaction.TransactionExecutionListener;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * Keeps another transaction manager off the connection that holds a claim. A JDBC transaction manager takes the connection that JPA has bound to be
 * without a transaction, and would commit it in the middle of the listener.
 *
 * @param name the bean name of the other manager
 * @param ofStore the bean name of the manager of the claims
 */
record ManagerGuard(DataSource dataSource, String name, String ofStore) implements TransactionExecutionListener {

    /** The resource that Spring has bound for the data source while a listener runs in the transaction of its claim. */
    private static final ThreadLocal<@Nullable Object> CLAIMED = new ThreadLocal<>();

    /** Returns transactions that remember the connection of the claim. */
    static TransactionRunner noting(DataSource dataSource, TransactionRunner runner) {
        return work -> runner.inTransaction(() -> {
            Object outer = CLAIMED.get();
            CLAIMED.set(TransactionSynchronizationManager.getResource(dataSource));
            try {
                work.run();
            } finally {
                CLAIMED.set(outer);
            }
        });
    }

    @Override
    public void beforeBegin(TransactionExecution transaction) {
        Object claimed = CLAIMED.get();
        // A savepoint is no transaction of its own, and a suspended connection is not bound.
        if (claimed != null
                && !transaction.isNested()
                && TransactionSynchronizationManager.getResource(dataSource) == claimed) {
            throw new IllegalTransactionStateException("The transaction manager " + name
                    + " does not know the transaction of " + ofStore
                    + ", in which the listener and its claim run, and would commit it too early. Use " + ofStore
                    + " in all code that the listener calls, or set idempotency.transaction-manager="
                    + name
                    + ", so that listeners run in its transactions");
        }
    }
}
