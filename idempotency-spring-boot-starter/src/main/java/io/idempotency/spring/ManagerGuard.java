package io.idempotency.spring;

import io.idempotency.store.TransactionRunner;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.transaction.IllegalTransactionStateException;
import org.springframework.transaction.TransactionExecution;
import org.springframework.transaction.TransactionExecutionListener;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * Lets another transaction manager of the data source begin no transaction on the connection that holds a claim. One for JDBC takes the connection
 * that JPA has bound for one without a transaction, and would commit it in the middle of the listener.
 *
 * @param name of that manager's bean
 * @param ofStore the name of the one that the claims are in
 */
record ManagerGuard(DataSource dataSource, String name, String ofStore) implements TransactionExecutionListener {

    /** What Spring has bound for the data source while a listener runs in the transaction of its claim. */
    private static final ThreadLocal<@Nullable Object> CLAIMED = new ThreadLocal<>();

    /** Returns transactions that note the connection of the claim. */
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
        // A savepoint is no transaction of its own; what is suspended is not bound.
        if (claimed != null
                && !transaction.isNested()
                && TransactionSynchronizationManager.getResource(dataSource) == claimed) {
            throw new IllegalTransactionStateException("The transaction manager " + name
                    + " does not know the transaction of " + ofStore
                    + " that the listener and its claim are in, and would commit its connection in the middle of it. Let"
                    + " what the listener calls use " + ofStore + ", too; or set idempotency.transaction-manager="
                    + name
                    + ", so that the listeners' transactions are its own");
        }
    }
}
