package io.idempotency.jdbc;

import java.util.ArrayList;
import java.util.Collection;
import org.jspecify.annotations.Nullable;
import org.springframework.transaction.ConfigurableTransactionManager;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionExecution;
import org.springframework.transaction.TransactionExecutionListener;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * Lets the claims of a transaction say their last words right before its commit, whoever manages it: after the synchronizations of the application, such
 * as a {@code @TransactionalEventListener}, which may still run statements before the commit or before the completion. Stateless.
 */
final class LastWords implements TransactionExecutionListener {

    /** Marks a transaction whose manager has the last words said. */
    interface Mark extends TransactionSynchronization {}

    private LastWords() {}

    /** Has the last words said in transactions of the manager, unless it does so by itself, or cannot. */
    static void sayIn(PlatformTransactionManager manager) {
        if (manager instanceof ConfigurableTransactionManager configurable
                && !(manager instanceof ProvingTransactionManager)) {
            synchronized (configurable) {
                Collection<TransactionExecutionListener> listeners =
                        new ArrayList<>(configurable.getTransactionExecutionListeners());
                if (listeners.stream().noneMatch(LastWords.class::isInstance)) {
                    listeners.add(new LastWords());
                    configurable.setTransactionExecutionListeners(listeners);
                }
            }
        }
    }

    /** Returns whether the manager of the running transaction has the last words said. */
    static boolean isManagerSayingThem() {
        for (TransactionSynchronization each : TransactionSynchronizationManager.getSynchronizations()) {
            if (each instanceof Mark) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void afterBegin(TransactionExecution transaction, @Nullable Throwable failure) {
        if (failure == null
                && transaction.isNewTransaction()
                && TransactionSynchronizationManager.isSynchronizationActive()) {
            TransactionSynchronizationManager.registerSynchronization(new Mark() {});
        }
    }

    /** {@inheritDoc} Spring also calls it when a savepoint is released: that commits nothing. */
    @Override
    public void beforeCommit(TransactionExecution transaction) {
        if (transaction.isNewTransaction()
                && TransactionSynchronizationManager.isSynchronizationActive()
                && isManagerSayingThem()) {
            ActiveTransaction.sayLastWords(transaction);
        }
    }
}
