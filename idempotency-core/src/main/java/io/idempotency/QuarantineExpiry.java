package io.idempotency;

import io.idempotency.store.AuditRecord;
import io.idempotency.store.AuditStore;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.MessageId;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineStore;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Drops the old messages of one consumer from quarantine, batch by batch. Used once. */
final class QuarantineExpiry {

    private static final int BATCH = 100;
    private static final String UNFINISHED = " (unfinished)";

    private final ClaimStore store;
    private final QuarantineStore quarantine;
    private final Acts acts;
    private final AuditRecord act;
    private final Instant before;
    /** Messages that belong to a replay, that a handler works on, or that another store remembers. */
    private final Set<MessageId> left = new HashSet<>();

    private long dropped;
    private AuditStore.@Nullable Key key;

    QuarantineExpiry(ClaimStore store, QuarantineStore quarantine, Acts acts, AuditRecord act, Instant before) {
        this.store = store;
        this.quarantine = quarantine;
        this.acts = acts;
        this.act = act;
        this.before = before;
    }

    long run() {
        boolean isLast = false;
        try {
            while (!isLast) {
                Batch batch = acts.within(store, this::batch);
                dropped += batch.dropped;
                isLast = batch.isLast;
            }
        } finally {
            if (dropped > 0) {
                acts.log(act.with(dropped, act.subject()));
            }
        }
        return dropped;
    }

    private record Batch(long dropped, boolean isLast) {}

    private Batch batch() {
        List<MessageId> oldest = quarantine.list(act.consumer(), BATCH + left.size()).stream()
                .filter(id -> !left.contains(id))
                .toList();
        boolean isLast = oldest.size() < BATCH;
        long count = 0;
        for (MessageId id : oldest) {
            QuarantineEntry entry = quarantine.find(id).orElse(null);
            if (entry != null && !entry.firstAt().isBefore(before)) {
                isLast = true;
                break;
            }
            if (entry == null || !isDroppable(entry) || !quarantine.delete(id)) {
                left.add(id);
            } else {
                store.messages().drop(entry.message().delivery());
                count++;
            }
        }
        record(count, isLast);
        return new Batch(count, isLast);
    }

    private boolean isDroppable(QuarantineEntry entry) {
        return entry.replay().isEmpty()
                && store.messages()
                        .look(entry.message().delivery().id())
                        .filter(known -> !known.age().isNegative())
                        .isPresent();
    }

    private void record(long count, boolean isLast) {
        String subject = act.subject() + (isLast ? "" : UNFINISHED);
        AuditStore.Key known = key;
        if (known != null) {
            acts.update(known, dropped + count, subject);
        } else if (count > 0) {
            key = acts.write(act.with(count, subject));
        }
    }
}
