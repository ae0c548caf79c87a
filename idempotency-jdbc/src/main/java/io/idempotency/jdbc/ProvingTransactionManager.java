package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.DefaultTransactionStatus;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * The transaction manager for stores that were given none, and of the starter in place of Spring Boot's. If the database can prove and commit in one round trip, it does so: a transaction for one message
 * takes three round trips instead of four. Between two processes of one machine that saves 3 percent of its time, over a network up to a quarter.
 */
class ProvingTransactionManager extends JdbcTransactionManager {

    private static final long serialVersionUID = 1L;

    ProvingTransactionManager(DataSource dataSource) {
        super(dataSource);
    }

    /** Proves the claims and commits. */
    @FunctionalInterface
    interface ProvenCommit {
        void run(Connection connection) throws SQLException;
    }

    /** Holds the commit of a transaction. Spring suspends it together with its transaction. */
    private static final class Commit implements LastWords.Mark {

        private @Nullable ProvenCommit proven;

        static @Nullable Commit ofActive() {
            for (TransactionSynchronization each : TransactionSynchronizationManager.getSynchronizations()) {
                if (each instanceof Commit commit) {
                    return commit;
                }
            }
            return null;
        }
    }

    /** Makes the active transaction commit in this way. Returns whether it will: not if it has another manager, or another such commit already. */
    static boolean commitBy(ProvenCommit commit) {
        Commit planned = Commit.ofActive();
        if (planned == null || planned.proven != null) {
            return false;
        }
        planned.proven = commit;
        return true;
    }

    @Override
    protected void prepareSynchronization(DefaultTransactionStatus status, TransactionDefinition definition) {
        super.prepareSynchronization(status, definition);
        if (status.isNewSynchronization() && status.isNewTransaction()) {
            TransactionSynchronizationManager.registerSynchronization(new Commit());
        }
    }

    /** {@inheritDoc} After a proven commit the driver has nothing left to send. */
    @Override
    protected void doCommit(DefaultTransactionStatus status) {
        if (status.isNewSynchronization()) {
            ActiveTransaction.sayLastWords(status);
        }
        Commit planned = status.isNewSynchronization() ? Commit.ofActive() : null;
        ProvenCommit proven = planned == null ? null : planned.proven;
        if (proven != null) {
            run(proven);
        }
        super.doCommit(status);
    }

    private void run(ProvenCommit commit) {
        DataSource dataSource = obtainDataSource();
        Connection connection = DataSourceUtils.getConnection(dataSource);
        try {
            commit.run(connection);
        } catch (SQLException e) {
            throw translateException("JDBC commit", e);
        } finally {
            DataSourceUtils.releaseConnection(connection, dataSource);
        }
    }
}
