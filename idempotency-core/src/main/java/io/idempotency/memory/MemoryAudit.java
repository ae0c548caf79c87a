package io.idempotency.memory;

import io.idempotency.store.AuditRecord;
import io.idempotency.store.AuditStore;
import io.idempotency.store.MessageId;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;

/** Keeps audit records in memory, within the transactions of a {@link MemoryStore}. Unbounded: a record stays until it is purged. Thread-safe. */
public final class MemoryAudit implements AuditStore {

    private static final String NAME = "audit";

    private final MemoryTransactions transactions;
    private final MemoryTable<AuditRecord> records;
    private final InstantSource clock;
    private final AtomicLong last = new AtomicLong();

    /** Creates an empty audit that takes part in the store's transactions. */
    public MemoryAudit(MemoryStore store) {
        this.transactions = store.memoryTransactions();
        this.records = transactions.newTable();
        this.clock = store.clock();
    }

    @Override
    public Key write(AuditRecord change) {
        Key key = new Key(clock.instant(), last.incrementAndGet());
        transactions.changing(
                records, id(key), transaction -> records.change(id(key), at(change, key.at()), transaction));
        return key;
    }

    private static MessageId id(Key key) {
        return new MessageId(NAME, String.valueOf(key.token()));
    }

    private static AuditRecord at(AuditRecord change, Instant at) {
        return new AuditRecord(
                at,
                change.actor(),
                change.origin(),
                change.verb(),
                change.consumer(),
                change.messages(),
                change.subject(),
                change.reason());
    }

    @Override
    public void update(Key key, long messages, String subject) {
        transactions.changing(records, id(key), transaction -> {
            AuditRecord known = records.get(id(key), transaction);
            if (known != null) {
                records.change(id(key), known.with(messages, subject), transaction);
            }
        });
    }

    @Override
    public List<AuditRecord> list(Instant from, int limit) {
        return list(change -> true, from, limit);
    }

    @Override
    public List<AuditRecord> list(String consumer, Instant from, int limit) {
        return list(change -> change.consumer().equals(consumer), from, limit);
    }

    private List<AuditRecord> list(Predicate<AuditRecord> isAsked, Instant from, int limit) {
        return transactions.exclusively(() -> records.all(transactions.active()).values().stream()
                .filter(isAsked)
                .filter(change -> !change.at().isBefore(from))
                .sorted(Comparator.comparing(AuditRecord::at).reversed())
                .limit(limit)
                .toList());
    }

    @Override
    public int purge(Duration olderThan, int limit) {
        return transactions.exclusively(() -> {
            Instant horizon = clock.instant().minus(olderThan);
            return records.remove(limit, (id, change) -> change.at().isBefore(horizon))
                    .size();
        });
    }
}
