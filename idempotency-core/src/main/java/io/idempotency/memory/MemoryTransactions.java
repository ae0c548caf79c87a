package io.idempotency.memory;

import io.idempotency.memory.MemoryWaiters.Waiter;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.TransactionLostException;
import io.idempotency.store.Transactions;
import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs the transactions of one memory store. One monitor guards all tables. Each call holds it for a moment, and gives it up while it waits for
 * another transaction.
 */
final class MemoryTransactions implements Transactions {

    private static final int MAX_CAUSES = 100;

    private final ReentrantLock monitor = new ReentrantLock();
    private final Condition ended = monitor.newCondition();

    @SuppressWarnings("ThreadLocalUsage") // every store has transactions of its own
    private final ThreadLocal<MemoryTransaction> current = new ThreadLocal<>();

    private final AtomicLong begun = new AtomicLong();
    private final List<MemoryTable<?>> tables = new ArrayList<>();

    private final MemoryWaiters waiters;
    private final Runnable afterChange;

    /** Creates the transactions; after every change the action given is run under the monitor. */
    MemoryTransactions(Duration claimTimeout, Runnable afterChange) {
        this.waiters = new MemoryWaiters(ended, claimTimeout, this::lose);
        this.afterChange = afterChange;
    }

    <V> MemoryTable<V> newTable() {
        MemoryTable<V> table = new MemoryTable<>();
        exclusively(() -> tables.add(table));
        return table;
    }

    @Override
    public void inTransaction(Runnable work) {
        MemoryTransaction outer = active();
        if (outer != null) {
            join(outer, work);
            return;
        }
        MemoryTransaction transaction = new MemoryTransaction(begun.incrementAndGet());
        current.set(transaction);
        boolean returned = false;
        boolean committed;
        try {
            work.run();
            returned = true;
        } finally {
            current.remove();
            committed = end(transaction, returned);
        }
        if (!committed) {
            throw new TransactionLostException(
                    "The transaction was rolled back before its end, so it is not committed");
        }
        runAll(transaction.afterCommit());
    }

    private void join(MemoryTransaction outer, Runnable work) {
        boolean returned = false;
        try {
            work.run();
            returned = true;
        } finally {
            if (!returned) {
                lose(outer);
            }
        }
    }

    private boolean end(MemoryTransaction transaction, boolean returned) {
        return exclusively(() -> {
            boolean commits = returned && !transaction.isLost();
            tables.forEach(table -> table.end(transaction, commits));
            ended.signalAll();
            changed();
            return commits;
        });
    }

    private void lose(MemoryTransaction transaction) {
        transaction.lose();
        end(transaction, false);
    }

    private static void runAll(List<Runnable> actions) {
        @Nullable RuntimeException failure = null;
        for (Runnable action : actions) {
            try {
                action.run();
            } catch (RuntimeException e) {
                if (failure == null) {
                    failure = e;
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    @Override
    public boolean isActive() {
        return active() != null;
    }

    @Override
    public void afterCommit(Runnable action) {
        required("Acting after the commit").afterCommit(action);
    }

    @Override
    public boolean isTransient(Throwable failure) {
        Throwable cause = failure;
        for (int i = 0; i < MAX_CAUSES && cause != null; i++) {
            if (cause instanceof TransientStoreException || cause instanceof InterruptedException) {
                return true;
            }
            cause = cause.getCause();
        }
        return false;
    }

    /** Returns the transaction of the calling thread. */
    @Nullable
    MemoryTransaction active() {
        return current.get();
    }

    MemoryTransaction required(String verb) {
        MemoryTransaction transaction = active();
        if (transaction == null) {
            throw new IdempotencyException(verb + " needs an active transaction of the memory store on the thread");
        }
        if (transaction.isLost()) {
            throw new TransactionLostException(
                    verb + " is not possible, because the transaction was rolled back already");
        }
        return transaction;
    }

    void refuseActive(String verb) {
        if (isActive()) {
            throw new IdempotencyException(
                    verb + " uses a transaction of its own and is refused while one is active on the thread");
        }
    }

    /** Changes one message in the active transaction or in an own one, as soon as nobody else does. */
    void changing(MemoryTable<?> table, MessageId id, Consumer<MemoryTransaction> change) {
        if (!isActive()) {
            inTransaction(() -> changing(table, id, change));
            return;
        }
        MemoryTransaction transaction = required("Changing a message");
        exclusively(() -> {
            awaitOthers(table, id, transaction);
            change.accept(transaction);
            return transaction;
        });
    }

    /** Notes that something visible to all has changed. The monitor must be held. */
    void changed() {
        afterChange.run();
    }

    <T> T exclusively(Supplier<T> action) {
        monitor.lock();
        try {
            return action.get();
        } finally {
            monitor.unlock();
        }
    }

    /**
     * Waits, at most the claim timeout, until no other running transaction has changed the message. The monitor must be
     * held; it is given up meanwhile. Returns whether there was anything to wait for.
     *
     * @throws TransientStoreException if the wait took too long, was interrupted or would never end; the waiting transaction
     *     is gone then
     */
    boolean awaitOthers(MemoryTable<?> table, MessageId id, MemoryTransaction own) {
        return waiters.await(new Waiter(table, id, own));
    }

    /** Waits until no running transaction has changed any of the messages. The monitor must be held. */
    void awaitOthers(MemoryTable<?> table, List<MessageId> ids) {
        MemoryTransaction own = new MemoryTransaction(begun.incrementAndGet());
        boolean waited = true;
        while (waited) {
            waited = false;
            for (MessageId id : ids) {
                waited |= awaitOthers(table, id, own);
            }
        }
    }
}
