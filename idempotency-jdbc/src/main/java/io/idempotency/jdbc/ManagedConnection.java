package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import javax.sql.DataSource;
import org.springframework.jdbc.datasource.ConnectionHolder;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * Tells whether a transaction manager will end the transaction of the connection that Spring has bound to the thread. Within a transaction on other data,
 * a connection may be bound that is only kept open, perhaps without auto-commit: nobody commits it.
 *
 * <p>Transaction managers of JDBC mark their connection, and only a subclass of them can read the mark. Those of JPA set no mark, but bind the connection
 * without the mark of connections that are only kept open. Thread-safe.
 */
final class ManagedConnection extends DataSourceTransactionManager {

    private static final long serialVersionUID = 1L;

    private final transient DataSource key;

    ManagedConnection(DataSource key) {
        super(key);
        this.key = key;
    }

    /** Returns whether a transaction is active on this data source. */
    boolean isActive() {
        return TransactionSynchronizationManager.isActualTransactionActive()
                && TransactionSynchronizationManager.isSynchronizationActive()
                && TransactionSynchronizationManager.getResource(key) instanceof ConnectionHolder holder
                && (!holder.isSynchronizedWithTransaction() || isExistingTransaction(doGetTransaction()))
                && !isAutoCommit(holder.getConnection());
    }

    /** Returns whether a transaction is active on another data source than this. */
    boolean isActiveElsewhere() {
        for (Map.Entry<Object, Object> bound :
                TransactionSynchronizationManager.getResourceMap().entrySet()) {
            if (bound.getValue() instanceof ConnectionHolder
                    && bound.getKey() instanceof DataSource other
                    // A JdbcTemplate on a proxy binds what it gets from there, too.
                    && JdbcTransactions.unwrapped(other) != key
                    && new ManagedConnection(other).isActive()) {
                return true;
            }
        }
        return false;
    }

    private static boolean isAutoCommit(Connection connection) {
        try {
            return connection.getAutoCommit();
        } catch (SQLException e) {
            throw SqlFailures.translated("look at the transaction", e);
        }
    }
}
