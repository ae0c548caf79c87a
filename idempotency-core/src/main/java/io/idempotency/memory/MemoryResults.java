package io.idempotency.memory;

import io.idempotency.store.Claim;
import io.idempotency.store.MessageId;
import io.idempotency.store.ResultStore;
import io.idempotency.store.StoredResult;
import io.idempotency.store.TransientStoreException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Keeps results beside the messages of a store in memory, and forgets them with their messages. Thread-safe. */
public final class MemoryResults implements ResultStore {

    private final MemoryTransactions transactions;
    private final MemoryTable<MemoryRow> rows;
    private final MemoryTable<Map<String, StoredResult>> results;

    /** Creates the results of a store. All of one store are the same. */
    public MemoryResults(MemoryStore store) {
        this.transactions = store.memoryTransactions();
        this.rows = store.rows();
        this.results = store.results();
    }

    @Override
    public void put(Claim claim, StoredResult result) {
        MessageId id = claim.delivery().id();
        requirePuttable(claim);
        if (claim.isLease()) {
            whileLeased(claim, () -> results.set(id, with(results.get(id, null), result)));
        } else {
            transactions.changing(
                    results,
                    id,
                    transaction -> results.change(id, with(results.get(id, transaction), result), transaction));
        }
    }

    @Override
    public void requirePuttable(Claim claim) {
        if (claim.isLease()) {
            transactions.refuseActive("Recording a result");
        } else {
            transactions.required("Storing a result");
        }
    }

    @Override
    public void clear(Claim lease) {
        MessageId id = lease.delivery().id();
        whileLeased(lease, () -> results.remove(List.of(id)));
    }

    private void whileLeased(Claim claim, Runnable work) {
        MessageId id = claim.delivery().id();
        boolean isOwned = transactions.exclusively(() -> {
            MemoryRow row = rows.get(id, null);
            boolean isHeld = row != null
                    && row.isLeased()
                    && row.attempt() == claim.attempt()
                    && !row.until().isBefore(claim.until());
            if (isHeld) {
                work.run();
            }
            return isHeld;
        });
        if (!isOwned) {
            throw new TransientStoreException("The lease of " + claim.delivery() + " for attempt " + claim.attempt()
                    + " has ended and is somebody else's, so the result is not recorded");
        }
    }

    private static Map<String, StoredResult> with(@Nullable Map<String, StoredResult> before, StoredResult result) {
        Map<String, StoredResult> after = before == null ? new LinkedHashMap<>() : new LinkedHashMap<>(before);
        after.put(result.name(), result);
        return after;
    }

    @Override
    public List<StoredResult> find(MessageId id) {
        return transactions.exclusively(() -> {
            Map<String, StoredResult> found = results.get(id, transactions.active());
            return found == null ? List.of() : List.copyOf(found.values());
        });
    }
}
