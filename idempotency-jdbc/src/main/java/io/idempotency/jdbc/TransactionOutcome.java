package io.idempotency.jdbc;

import io.idempotency.store.TransientStoreException;
import java.sql.SQLException;
import java.util.Objects;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.core.Ordered;
import org.springframework.jdbc.datasource.ConnectionHolder;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionStatus;
import org.springframework.transaction.support.CallbackPreferringPlatformTransactionManager;
import org.springframework.transaction.support.TransactionCallback;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Runs work in a transaction and throws its first failure. Spring rolls back after a failure, and if the rollback fails, throws that exception instead. After a
 * lost connection every rollback fails, in pools with an exception that only says that the connection is closed.
 */
final class TransactionOutcome implements TransactionSynchronization {

    private final DataSource dataSource;
    private @Nullable Throwable failureOfWork;
    private boolean isConnectionLost;
    private boolean isEnding;

    private TransactionOutcome(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    /**
     * Returns the result of the work, or throws its exception unchanged, with that of the rollback as suppressed.
     *
     * @throws TransientStoreException if the connection was lost during the commit
     */
    static <T extends @Nullable Object> T run(
            TransactionTemplate template, DataSource dataSource, TransactionCallback<T> work) {
        TransactionOutcome ending = new TransactionOutcome(dataSource);
        try {
            return TransactionOutcome.<T>execute(template, status -> {
                if (status.isNewTransaction()) {
                    TransactionSynchronizationManager.registerSynchronization(ending);
                }
                try {
                    return work.doInTransaction(status);
                } catch (Throwable thrown) {
                    ending.failureOfWork = thrown;
                    throw thrown;
                }
            });
        } catch (Throwable thrown) {
            throw TransactionOutcome.<RuntimeException>unchecked(ending.reason(thrown));
        }
    }

    /** Does the same as the template. The template would log a failed rollback as an error; here it becomes a suppressed exception. */
    private static <T extends @Nullable Object> T execute(TransactionTemplate template, TransactionCallback<T> work) {
        PlatformTransactionManager manager = Objects.requireNonNull(template.getTransactionManager());
        if (manager instanceof CallbackPreferringPlatformTransactionManager) {
            return template.<T>execute(work);
        }
        TransactionStatus status = manager.getTransaction(template);
        T result;
        try {
            result = work.doInTransaction(status);
        } catch (Throwable thrown) {
            try {
                manager.rollback(status);
            } catch (RuntimeException | Error e) {
                thrown.addSuppressed(e);
            }
            throw thrown;
        }
        manager.commit(status);
        return result;
    }

    private Throwable reason(Throwable thrown) {
        if (failureOfWork != null) {
            if (failureOfWork != thrown) {
                failureOfWork.addSuppressed(thrown);
            }
            return failureOfWork;
        }
        return isConnectionLost
                ? new TransientStoreException(
                        "The connection was lost during the commit, so its outcome is unknown", thrown)
                : thrown;
    }

    /** Returns whether the transaction is ending. */
    boolean isEnding() {
        return isEnding;
    }

    @Override
    public int getOrder() {
        return Ordered.HIGHEST_PRECEDENCE;
    }

    @Override
    public void beforeCommit(boolean readOnly) {
        isEnding = true;
    }

    @Override
    public void beforeCompletion() {
        isEnding = true;
    }

    @Override
    public void afterCompletion(int status) {
        Object resource = TransactionSynchronizationManager.getResource(dataSource);
        isConnectionLost =
                status != STATUS_COMMITTED && resource instanceof ConnectionHolder holder && isClosed(holder);
    }

    private static boolean isClosed(ConnectionHolder holder) {
        try {
            return holder.getConnection().isClosed();
        } catch (SQLException e) {
            return true;
        }
    }

    @SuppressWarnings("unchecked")
    private static <E extends Throwable> RuntimeException unchecked(Throwable thrown) throws E {
        throw (E) thrown;
    }
}
