package io.idempotency.memory;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantineTotal;
import io.idempotency.store.QuarantinedMessage;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Keeps quarantined messages in memory, within the transactions of a {@link MemoryStore}: a rollback undoes saves and deletions. A call waits
 * for a running transaction that has saved or deleted the same message. Unbounded: a message stays until it is deleted. Thread-safe.
 */
public final class MemoryQuarantine implements QuarantineStore {

    private final MemoryTransactions transactions;
    private final MemoryTable<QuarantineEntry> messages;
    private final InstantSource clock;
    private long generation;

    /** Creates an empty quarantine that takes part in the store's transactions. */
    public MemoryQuarantine(MemoryStore store) {
        this.transactions = store.memoryTransactions();
        this.messages = transactions.newTable();
        this.clock = store.clock();
    }

    @Override
    public void save(QuarantinedMessage message) {
        MessageId id = message.delivery().id();
        transactions.changing(messages, id, transaction -> {
            Instant now = clock.instant();
            QuarantineEntry kept = messages.get(id, transaction);
            Instant first = kept == null ? now : kept.firstAt();
            messages.change(id, new QuarantineEntry(message, ++generation, first, now, Optional.empty()), transaction);
        });
    }

    @Override
    public Optional<QuarantineEntry> find(MessageId id) {
        return transactions.exclusively(() -> Optional.ofNullable(messages.get(id, transactions.active())));
    }

    @Override
    public Optional<QuarantineEntry> take(MessageId id, long generation) {
        if (!transactions.isActive()) {
            throw new IdempotencyException("A quarantined message is taken within a transaction only");
        }
        AtomicReference<@Nullable QuarantineEntry> taken = new AtomicReference<>();
        transactions.changing(messages, id, transaction -> {
            QuarantineEntry kept = messages.get(id, transaction);
            if (kept != null && kept.generation() == generation) {
                messages.change(id, kept, transaction);
                taken.set(kept);
            }
        });
        return Optional.ofNullable(taken.get());
    }

    @Override
    public List<MessageId> list(String consumer, int limit) {
        return transactions.exclusively(() -> messages.all(transactions.active()).keySet().stream()
                .filter(id -> id.consumer().equals(consumer))
                .limit(limit)
                .toList());
    }

    @Override
    public boolean delete(MessageId id) {
        boolean[] kept = new boolean[1];
        transactions.changing(messages, id, transaction -> {
            kept[0] = messages.get(id, transaction) != null;
            if (kept[0]) {
                messages.change(id, null, transaction);
            }
        });
        return kept[0];
    }

    @Override
    public SortedMap<String, QuarantineTotal> totals() {
        return transactions.exclusively(() -> {
            Instant now = clock.instant();
            SortedMap<String, QuarantineTotal> totals = new TreeMap<>();
            messages.all(transactions.active())
                    .forEach((id, entry) -> totals.merge(
                            id.consumer(),
                            new QuarantineTotal(1, entry.firstAt(), Duration.between(entry.firstAt(), now)),
                            MemoryQuarantine::sum));
            return totals;
        });
    }

    private static QuarantineTotal sum(QuarantineTotal one, QuarantineTotal other) {
        QuarantineTotal older = one.oldest().isBefore(other.oldest()) ? one : other;
        return new QuarantineTotal(one.messages() + other.messages(), older.oldest(), older.age());
    }

    /** Names the place of the messages for the log. */
    @Override
    public String toString() {
        return "the memory of this process";
    }
}
