package io.idempotency.memory;

import io.idempotency.store.MessageId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Keeps values by message id, the least recently changed first. Until a transaction commits, only it sees its changes, and nobody else can
 * change the same values. Guarded by the monitor of {@link MemoryTransactions}.
 */
final class MemoryTable<V> {

    private final LinkedHashMap<MessageId, V> committed = new LinkedHashMap<>();
    private final Map<MessageId, Change<V>> pending = new HashMap<>();

    private record Change<V>(MemoryTransaction by, @Nullable V value) {}

    /** Returns the value as the transaction sees it; without a transaction, the committed value. */
    @Nullable
    V get(MessageId id, @Nullable MemoryTransaction transaction) {
        Change<V> change = pending.get(id);
        return change != null && change.by == transaction ? change.value : committed.get(id);
    }

    /** Returns all values as the transaction sees them; without a transaction, the committed values. */
    Map<MessageId, V> all(@Nullable MemoryTransaction transaction) {
        Map<MessageId, V> seen = new LinkedHashMap<>(committed);
        pending.forEach((id, change) -> {
            if (change.by == transaction) {
                replace(seen, id, change.value);
            }
        });
        return seen;
    }

    /** Returns the running transaction that has changed the value. */
    @Nullable
    MemoryTransaction holder(MessageId id) {
        Change<V> change = pending.get(id);
        return change == null ? null : change.by;
    }

    void change(MessageId id, @Nullable V value, MemoryTransaction transaction) {
        pending.put(id, new Change<>(transaction, value));
    }

    void set(MessageId id, V value) {
        replace(committed, id, value);
    }

    /** Makes what the transaction changed visible to all, or undoes it. */
    void end(MemoryTransaction transaction, boolean commits) {
        pending.entrySet().removeIf(entry -> {
            boolean ends = entry.getValue().by == transaction;
            if (ends && commits) {
                replace(committed, entry.getKey(), entry.getValue().value);
            }
            return ends;
        });
    }

    /** Removes up to {@code limit} values that match and that no running transaction has changed, the oldest first. Returns their ids. */
    List<MessageId> remove(int limit, BiPredicate<MessageId, V> matches) {
        List<MessageId> removed = new ArrayList<>();
        for (Map.Entry<MessageId, V> entry : committed.entrySet()) {
            if (removed.size() >= limit) {
                break;
            }
            if (!pending.containsKey(entry.getKey()) && matches.test(entry.getKey(), entry.getValue())) {
                removed.add(entry.getKey());
            }
        }
        remove(removed);
        return removed;
    }

    void remove(List<MessageId> ids) {
        ids.forEach(committed::remove);
    }

    int size() {
        return committed.size();
    }

    private static <V> void replace(Map<MessageId, V> map, MessageId id, @Nullable V value) {
        map.remove(id);
        if (value != null) {
            map.put(id, value);
        }
    }
}
