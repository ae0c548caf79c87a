package io.idempotency.memory;

import io.idempotency.store.MessageId;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Queues transactions that wait for a message, in the order they came: one that gave way and runs again must not overtake the one it gave way to.
 * Guarded by the monitor of {@link MemoryTransactions}.
 */
final class MemoryWaiters {

    private final List<Waiter> waiters = new ArrayList<>();

    /** A transaction that waits for its turn at one message. */
    record Waiter(MemoryTable<?> table, MessageId id, MemoryTransaction transaction) {

        private boolean waitsForTheSameAs(Waiter other) {
            return table == other.table && id.equals(other.id);
        }
    }

    void add(Waiter waiter) {
        waiters.add(waiter);
    }

    void remove(Waiter waiter) {
        waiters.remove(waiter);
    }

    /** Returns the transaction that has changed the message, or else the first one that waits longer. */
    @Nullable
    MemoryTransaction inTheWayOf(Waiter waiter) {
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
}
