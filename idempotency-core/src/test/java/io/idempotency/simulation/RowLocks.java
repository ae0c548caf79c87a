package io.idempotency.simulation;

import io.idempotency.store.MessageId;
import io.idempotency.store.TransientStoreException;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Which transaction holds which row. Who waits lets others run, at most for the claim timeout. */
final class RowLocks {

    static final long CLAIM_TIMEOUT_NANOS = 5_000_000_000L;

    private final Simulation simulation;
    private final Map<MessageId, RunningTransaction> holders = new HashMap<>();

    RowLocks(Simulation simulation) {
        this.simulation = simulation;
    }

    @Nullable
    RunningTransaction holder(MessageId id) {
        return holders.get(id);
    }

    /** Waits for the row and takes it. */
    void take(MessageId id, RunningTransaction own) {
        await(id, own);
        holders.put(id, own);
    }

    void release(RunningTransaction own) {
        holders.values().removeIf(holder -> holder == own);
    }

    void release(MessageId id, RunningTransaction own) {
        holders.remove(id, own);
    }

    /** Waits until no other transaction holds any of the rows. */
    void awaitAll(Set<MessageId> ids) {
        RunningTransaction nobody = new RunningTransaction();
        ids.stream().sorted().forEach(id -> await(id, nobody));
    }

    void await(MessageId id, RunningTransaction own) {
        for (RunningTransaction holder = holders.get(id); holder != null && holder != own; holder = holders.get(id)) {
            simulation.visit(Branch.CLAIM_WAITED);
            if (isAwaitedBy(holder, own)) {
                simulation.visit(Branch.DEADLOCK);
                simulation.note("deadlock at " + id);
                throw new TransientStoreException("Deadlock at " + id);
            }
            own.waitsFor = id;
            boolean isFree = simulation.baton().waitFor(CLAIM_TIMEOUT_NANOS, () -> !holders.containsKey(id));
            own.waitsFor = null;
            if (!isFree) {
                simulation.visit(Branch.CLAIM_TIMED_OUT);
                throw new TransientStoreException("Waited too long for " + id);
            }
        }
    }

    private boolean isAwaitedBy(RunningTransaction holder, RunningTransaction own) {
        RunningTransaction each = holder;
        while (each != null && each.waitsFor != null) {
            each = holders.get(each.waitsFor);
            if (each == own) {
                return true;
            }
        }
        return false;
    }
}
