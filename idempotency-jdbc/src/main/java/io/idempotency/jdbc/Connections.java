package io.idempotency.jdbc;

import io.idempotency.store.IdempotencyException;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.TransactionException;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Runs the statements of a store on a connection: that of the active transaction, or one with a transaction of its own. It never takes a second
 * connection while a transaction is open, because pools deadlock on that.
 */
final class Connections {

    /** Statements on one connection. */
    @FunctionalInterface
    interface Work<T extends @Nullable Object> {
        T run(Connection connection) throws SQLException;
    }

    private static final Logger LOG = Loggers.TABLE_STORE;

    private final JdbcTransactions transactions;
    private final DataSource dataSource;
    private final TransactionTemplate own;
    private final TransactionTemplate readCommitted;

    Connections(JdbcTransactions transactions) {
        this.transactions = transactions;
        this.dataSource = transactions.target();
        JdbcTransactionManager manager = new JdbcTransactionManager(dataSource);
        this.own = new TransactionTemplate(manager);
        this.readCommitted = new TransactionTemplate(manager);
        readCommitted.setIsolationLevel(TransactionDefinition.ISOLATION_READ_COMMITTED);
    }

    /** Runs on the connection of the active transaction; without one, in auto-commit mode. */
    <T extends @Nullable Object> T onCurrent(String verb, Work<T> work) {
        try {
            Connection connection = DataSourceUtils.getConnection(dataSource);
            try {
                return work.run(connection);
            } finally {
                DataSourceUtils.releaseConnection(connection, dataSource);
            }
        } catch (SQLException | DataAccessException e) {
            throw SqlFailures.translated(verb, e);
        }
    }

    /** Runs in the active transaction, or in one of its own; refuses one on other data. */
    <T extends @Nullable Object> T joining(String verb, Work<T> work) {
        if (transactions.isActive()) {
            return JdbcTransactions.<T>join(dataSource, () -> onCurrent(verb, work));
        }
        transactions.refuseOther();
        return within(own, verb, work);
    }

    /**
     * Runs in a transaction of its own at READ COMMITTED, so that rows it waited for are visible afterwards. Refuses while a transaction is active
     * on the thread.
     */
    <T extends @Nullable Object> T alone(String verb, Work<T> work) {
        refuseActive(verb);
        return within(readCommitted, verb, work);
    }

    /**
     * Runs after the end of a transaction, on its connection, and commits. A failure is only logged: the caller reports the outcome of the
     * transaction.
     *
     * @return whether the work returned true
     */
    boolean afterwards(String verb, Work<Boolean> work) {
        try {
            return onCurrent(verb, connection -> {
                boolean isInTransaction = !connection.getAutoCommit();
                if (isInTransaction) {
                    connection.rollback();
                }
                boolean result = work.run(connection);
                if (isInTransaction) {
                    connection.commit();
                }
                return result;
            });
        } catch (RuntimeException e) {
            LOG.debug("Could not {} after a transaction that did not commit", verb, e);
            return false;
        }
    }

    private <T extends @Nullable Object> T within(TransactionTemplate template, String verb, Work<T> work) {
        try {
            return TransactionOutcome.<T>run(template, dataSource, status -> onCurrent(verb, work));
        } catch (TransactionException | DataAccessException e) {
            throw SqlFailures.translated(verb, e);
        }
    }

    private static void refuseActive(String verb) {
        if (TransactionSynchronizationManager.isActualTransactionActive()) {
            throw new IdempotencyException("Could not " + verb
                    + ": a transaction is active on this thread, but this needs a commit of its own. Call it outside");
        }
    }
}
