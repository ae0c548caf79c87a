package io.idempotency.memory;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One running transaction of the memory store. Guarded by the monitor of {@link MemoryTransactions}. */
final class MemoryTransaction {

    private final long number;
    private final List<Runnable> afterCommit = new ArrayList<>();
    private @Nullable MemoryTransaction waitsFor;
    private boolean lost;

    /** Creates a transaction; the later it was begun, the higher is its number. */
    MemoryTransaction(long number) {
        this.number = number;
    }

    void afterCommit(Runnable action) {
        afterCommit.add(action);
    }

    List<Runnable> afterCommit() {
        return afterCommit;
    }

    void waitsFor(@Nullable MemoryTransaction other) {
        waitsFor = other;
    }

    /** Returns whether the other one waits, directly or through others, for this one. */
    boolean isAwaitedBy(MemoryTransaction other) {
        for (MemoryTransaction next = other; next != null; next = next.waitsFor) {
            if (next == this) {
                return true;
            }
        }
        return false;
    }

    /** Returns the one begun last of the transactions that wait for each other in a ring: this one, and those from the other one on. */
    MemoryTransaction youngestInRing(MemoryTransaction other) {
        MemoryTransaction youngest = this;
        for (MemoryTransaction next = other; next != null && next != this; next = next.waitsFor) {
            youngest = next.number > youngest.number ? next : youngest;
        }
        return youngest;
    }

    /** Marks this transaction as lost: it can only be rolled back, and waits for nobody. */
    void lose() {
        lost = true;
        waitsFor = null;
    }

    boolean isLost() {
        return lost;
    }
}
