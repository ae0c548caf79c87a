package io.idempotency.jdbc;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.TransactionLostException;
import io.idempotency.store.Transactions;
import java.util.Objects;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.datasource.TransactionAwareDataSourceProxy;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Runs transactions on one data source, for stores and for programs that do not use Spring.
 *
 * <p>Plain JDBC joins the running transaction through the connections of {@link #dataSource()}. Closing such a connection leaves the transaction open. Do
 * not call {@code commit} or {@code rollback} on it. Within Spring, everything that is bound to the same data source joins.
 *
 * <p>Thread-safe; a transaction belongs to its thread.
 */
public final class JdbcTransactions implements Transactions {

    private final DataSource target;
    private final DataSource proxy;
    private final TransactionTemplate template;
    private final ManagedConnection managed;

    private JdbcTransactions(DataSource target, PlatformTransactionManager manager) {
        this.target = target;
        this.managed = new ManagedConnection(target);
        this.proxy = new TransactionAwareDataSourceProxy(target);
        this.template = new TransactionTemplate(manager);
    }

    /**
     * Returns transactions on the data source with a transaction manager of their own, see {@link #manager}.
     */
    public static JdbcTransactions on(DataSource dataSource) {
        return on(dataSource, manager(dataSource));
    }

    /**
     * Returns a transaction manager for the data source that, on PostgreSQL, proves the claims and commits in one round trip. In everything else, and without
     * claims, it is Spring's own. Use it in place of a {@link JdbcTransactionManager}, for listeners with short transactions.
     */
    public static JdbcTransactionManager manager(DataSource dataSource) {
        return new ProvingTransactionManager(unwrapped(dataSource));
    }

    /**
     * Returns transactions that the given manager begins and ends. It must manage the given data source. A listener is added to it, which proves the claims right
     * before each commit.
     */
    public static JdbcTransactions on(DataSource dataSource, PlatformTransactionManager manager) {
        LastWords.sayIn(manager);
        return new JdbcTransactions(unwrapped(dataSource), manager);
    }

    /**
     * Returns transactions of the same manager that begin with that isolation level and timeout.
     *
     * @param isolation a constant of {@link TransactionDefinition}, as the next one
     * @param timeout in seconds
     */
    public JdbcTransactions with(int isolation, int timeout) {
        JdbcTransactions transactions =
                new JdbcTransactions(target, Objects.requireNonNull(template.getTransactionManager()));
        transactions.template.setIsolationLevel(isolation);
        transactions.template.setTimeout(timeout);
        return transactions;
    }

    /** Returns a data source whose connections join the running transaction, if there is one. */
    public DataSource dataSource() {
        return proxy;
    }

    /**
     * {@inheritDoc} Refuses an active transaction on other data, because it could roll back alone.
     *
     * @throws IdempotencyException if a transaction is active that is not one on this very data source
     * @throws TransactionLostException if the transaction was marked for rollback although the work returned
     */
    @Override
    public void inTransaction(Runnable work) {
        if (isActive()) {
            join(target, () -> {
                work.run();
                return true;
            });
            return;
        }
        refuseOther();
        TransactionOutcome.run(template, target, status -> {
            if (!status.isNewTransaction()) {
                // A transaction that has committed. Spring has forgotten it except for the connection, because
                // another one began after the commit.
                throw Completion.refused();
            }
            work.run();
            if (status.isRollbackOnly()) {
                throw SqlFailures.rollbackOnly(firstFailure());
            }
            // Pending changes of JPA are written before the proof, not after it.
            status.flush();
            return true;
        });
    }

    /**
     * Notes a failure that marks the running transaction for rollback. If the work returns anyway, the exception of the commit names it. For callers
     * that see exceptions pass through participating transactions; the transaction manager does not see them.
     */
    public static void noteFailure(Throwable failure) {
        ActiveTransaction.ofThread().forEach(active -> active.failed(failure));
    }

    private @Nullable Throwable firstFailure() {
        return ActiveTransaction.ofThread()
                .flatMap(active -> active.firstFailure().stream())
                .findFirst()
                .orElseGet(() -> AbortedTransaction.reason(target));
    }

    /** {@inheritDoc} Connections that a transaction on other data has bound do not count. */
    @Override
    public boolean isActive() {
        return managed.isActive();
    }

    /**
     * Runs in the transaction that is active on the data source; if the work fails, the transaction never commits. It uses no transaction manager: one
     * for JDBC does not know a transaction that JPA began, and would commit its connection.
     */
    static <T extends @Nullable Object> T join(DataSource dataSource, Supplier<T> work) {
        try {
            return work.get();
        } catch (RuntimeException | Error e) {
            ActiveTransaction.of(dataSource).spoil("work that joined it failed", e);
            throw e;
        }
    }

    @Override
    public void afterCommit(Runnable action) {
        requireActive();
        ActiveTransaction.ofAnyOr(target).afterCommit(action);
    }

    @Override
    public void ifCommittedEarly(Runnable action) {
        requireActive();
        ActiveTransaction.ofAnyOr(target).evidence().ifCommittedEarly(action);
    }

    @Override
    public boolean isTransient(Throwable failure) {
        return TransientFailures.isTransient(failure);
    }

    /** Returns the data source itself, never a proxy that joins transactions. */
    DataSource target() {
        return target;
    }

    /** Returns whether any transaction is active on the thread, on whatever data. */
    static boolean isAnyActive() {
        return TransactionSynchronizationManager.isActualTransactionActive();
    }

    /** Refuses to claim without a transaction on this data source, or in one that would see uncommitted rows. */
    void requireClaimable() {
        Integer isolation = TransactionSynchronizationManager.getCurrentTransactionIsolationLevel();
        if (isolation != null && isolation == TransactionDefinition.ISOLATION_READ_UNCOMMITTED) {
            throw new IdempotencyException(
                    "Messages cannot be claimed at READ UNCOMMITTED: use READ COMMITTED or a stricter isolation level");
        }
        requireActive();
        if (TransactionSynchronizationManager.isCurrentTransactionReadOnly()) {
            throw new IdempotencyException(
                    "The active transaction is read-only, so nothing can be claimed in it. Call this in one that may write");
        }
    }

    /**
     * Refuses unless a transaction is active on the data source, and on no other. With two, actions after the commit would run after the inner commit,
     * and the outer transaction could roll back alone.
     */
    void requireActive() {
        if (!isActive()) {
            refuseOther();
            throw new IdempotencyException(
                    "No transaction is active: call this within a transaction on the data source of the idempotency tables, for"
                            + " example by inTransaction(..), a TransactionTemplate or @Transactional");
        }
        if (managed.isActiveElsewhere()) {
            throw new IdempotencyException(
                    "Transactions on two data sources are active, and one of them could roll back"
                            + " alone. Call this within a transaction on the data source of the idempotency tables only");
        }
    }

    /** Refuses a transaction that is active on the thread, but not on the data source. */
    void refuseOther() {
        if (TransactionSynchronizationManager.isActualTransactionActive()) {
            // Spring removes the synchronizations before it calls them after the completion.
            if (!TransactionSynchronizationManager.isSynchronizationActive()
                    || Completion.isRunning(TransactionSynchronizationManager.getSynchronizations())) {
                throw Completion.refused();
            }
            throw new IdempotencyException(
                    "The active transaction is not one on the data source of the idempotency tables ("
                            + target
                            + "), and could roll back alone. Use a transaction manager for this very data source, not for one"
                            + " that wraps it or is wrapped by it; or call this outside of the transaction");
        }
    }

    /** Returns the data source behind proxies whose connections join transactions. */
    static DataSource unwrapped(DataSource dataSource) {
        DataSource inner = dataSource;
        while (inner instanceof TransactionAwareDataSourceProxy aware && aware.getTargetDataSource() != null) {
            inner = aware.getTargetDataSource();
        }
        return inner;
    }
}
