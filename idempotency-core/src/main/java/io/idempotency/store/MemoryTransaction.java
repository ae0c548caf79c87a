package io.idempotency.store;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One running transaction of the memory store. Guarded by the monitor of {@link MemoryTransactions}. */
final class MemoryTransaction {

    private final List<Runnable> afterCommit = new ArrayList<>();
    private @Nullable MemoryTransaction waitsFor;
    private boolean lost;

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

    /** From now on this transaction can only be rolled back. */
    void lose() {
        lost = true;
    }

    boolean isLost() {
        return lost;
    }
}
