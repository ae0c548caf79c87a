package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import javax.sql.DataSource;
import org.springframework.jdbc.datasource.ConnectionHolder;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * Whether the connection that Spring has bound to the thread for a data source is in a transaction that somebody ends. Within a
 * transaction on other data one may be bound that is only kept open, without auto-commit if the pool hands it out so: nobody commits it.
 *
 * <p>JDBC's managers mark a connection of theirs in a way that only they may ask for; JPA's do not, but bind it without the mark of those that are
 * only kept open. Thread-safe.
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
                    && other != key
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
