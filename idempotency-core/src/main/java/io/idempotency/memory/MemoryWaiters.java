package io.idempotency.memory;

import io.idempotency.store.ClaimTimeoutException;
import io.idempotency.store.MessageId;
import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Queues transactions that wait for a message, in the order they came: one that gave way and runs again must not overtake the one it gave way to.
 * Guarded by the monitor of {@link MemoryTransactions}.
 */
final class MemoryWaiters {

    private final List<Waiter> waiters = new ArrayList<>();
    private final Condition ended;
    private final Duration claimTimeout;
    private final Consumer<MemoryTransaction> lose;

    /** A transaction that waits for its turn at one message. */
    record Waiter(MemoryTable<?> table, MessageId id, MemoryTransaction transaction) {

        private boolean waitsForTheSameAs(Waiter other) {
            return table == other.table && id.equals(other.id);
        }
    }

    /** Creates a queue. The condition is signalled when a transaction ends, and the action makes a transaction a lost one. */
    MemoryWaiters(Condition ended, Duration claimTimeout, Consumer<MemoryTransaction> lose) {
        this.ended = ended;
        this.claimTimeout = claimTimeout;
        this.lose = lose;
    }

    /** Waits for the turn of the transaction, at most the claim timeout. Returns whether there was anything to wait for. */
    boolean await(Waiter waiter) {
        if (inTheWayOf(waiter) == null) {
            return false;
        }
        waiters.add(waiter);
        try {
            awaitTurn(waiter);
            return true;
        } finally {
            waiters.remove(waiter);
            ended.signalAll();
        }
    }

    /** Returns the transaction that has changed the message, or the first one that has waited for it longer. */
    private @Nullable MemoryTransaction inTheWayOf(Waiter waiter) {
        MemoryTransaction holder = waiter.table.holder(waiter.id);
        if (holder != null) {
            return holder == waiter.transaction ? null : holder;
        }
        for (Waiter earlier : waiters) {
            if (earlier.equals(waiter)) {
                return null;
            }
            if (earlier.waitsForTheSameAs(waiter) && !earlier.transaction.isLost()) {
                return earlier.transaction;
            }
        }
        return null;
    }

    private void awaitTurn(Waiter waiter) {
        long remaining = claimTimeout.toNanos();
        MemoryTransaction own = waiter.transaction();
        MemoryTransaction other = inTheWayOf(waiter);
        while (other != null) {
            if (own.isLost()) {
                throw gone(waiter, "Transactions wait for each other at ", null);
            } else if (own.isAwaitedBy(other)) {
                // The youngest gives way, so that the oldest gets through however often the others run again.
                lose.accept(own.youngestInRing(other));
            } else if (remaining <= 0) {
                lose.accept(own);
                throw new ClaimTimeoutException(
                        "For longer than " + claimTimeout + ", another transaction has held " + waiter.id());
            } else {
                remaining = await(waiter, other, remaining);
            }
            other = inTheWayOf(waiter);
        }
        if (own.isLost()) {
            throw gone(waiter, "Transactions wait for each other at ", null);
        }
    }

    @SuppressWarnings("WaitNotInLoop") // the loop is the caller's
    private long await(Waiter waiter, MemoryTransaction other, long remainingNanos) {
        waiter.transaction().waitsFor(other);
        try {
            return ended.awaitNanos(remainingNanos);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw gone(waiter, "Interrupted while waiting for ", e);
        } finally {
            waiter.transaction().waitsFor(null);
        }
    }

    private TransientStoreException gone(Waiter waiter, String why, @Nullable InterruptedException cause) {
        lose.accept(waiter.transaction());
        return cause == null
                ? new TransientStoreException(why + waiter.id())
                : new TransientStoreException(why + waiter.id(), cause);
    }
}
