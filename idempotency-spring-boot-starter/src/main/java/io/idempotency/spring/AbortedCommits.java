package io.idempotency.spring;

import io.idempotency.store.IdempotencyException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.springframework.beans.BeanWrapper;
import org.springframework.beans.PropertyAccessorFactory;
import org.springframework.jdbc.datasource.ConnectionHolder;
import org.springframework.transaction.ConfigurableTransactionManager;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionExecution;
import org.springframework.transaction.TransactionExecutionListener;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * Refuses the commit of a transaction that a listener without the transaction of a claim has begun, and that PostgreSQL has aborted, because the listener
 * swallowed the failure of a statement. The server rolls such a transaction back, the driver reports a commit, and the message would count as processed. One
 * round trip for each commit. Under {@code STRONG} the proof of the claim sees it.
 */
record AbortedCommits(DataSource dataSource) implements TransactionExecutionListener {

    private static final String POSTGRESQL = "PostgreSQL";

    /** Watches the commits of a transaction manager, if it manages a data source. */
    static void refuseIn(PlatformTransactionManager manager) {
        BeanWrapper properties = PropertyAccessorFactory.forBeanPropertyAccess(manager);
        if (manager instanceof ConfigurableTransactionManager configurable
                && properties.isReadableProperty("dataSource")
                && properties.getPropertyValue("dataSource") instanceof DataSource managed) {
            AbortedCommits watching = new AbortedCommits(managed);
            List<TransactionExecutionListener> listeners =
                    new ArrayList<>(configurable.getTransactionExecutionListeners());
            if (!listeners.contains(watching)) {
                listeners.add(watching);
                configurable.setTransactionExecutionListeners(listeners);
            }
        }
    }

    @Override
    public void beforeCommit(TransactionExecution transaction) {
        if (Outputs.isOfCall()
                && !transaction.isReadOnly()
                && TransactionSynchronizationManager.getResource(dataSource) instanceof ConnectionHolder holder) {
            requireAlive(holder.getConnection());
        }
    }

    private static void requireAlive(Connection connection) {
        try {
            if (connection.getMetaData().getDatabaseProductName().equals(POSTGRESQL)) {
                try (Statement statement = connection.createStatement()) {
                    statement.execute("select 1");
                }
            }
        } catch (SQLException e) {
            throw new IdempotencyException(
                    "The transaction of the listener does not commit: a statement in it failed, and the listener swallowed the failure."
                            + " Let the exception leave the listener, or run the statement in a transaction of its own (NESTED, REQUIRES_NEW)",
                    e);
        }
    }
}
