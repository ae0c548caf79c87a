package io.idempotency.memory;

import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantinedMessage;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Keeps quarantined messages in memory, within the transactions of a {@link MemoryStore}: a rollback undoes saves and deletions. A call waits
 * for a running transaction that has saved or deleted the same message. Unbounded: a message stays until it is deleted. Thread-safe.
 */
public final class MemoryQuarantine implements QuarantineStore {

    private static final Comparator<Position> IN_ORDER = Comparator.comparing(Position::stream)
            .thenComparing(Position::partition)
            .thenComparing(Position::offset);

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
    public Set<Long> keyHashes(String consumer, String stream, int partition, int limit) {
        return keyed(consumer)
                .filter(entry -> isIn(entry, stream, partition))
                .map(entry -> entry.message().keyHash())
                .distinct()
                .limit(limit)
                .collect(Collectors.toSet());
    }

    @Override
    public Optional<Delivery> lastBefore(String consumer, Position position, long keyHash) {
        return before(consumer, position, keyHash)
                .map(entry -> entry.message().delivery())
                .max(Comparator.comparing(delivery -> delivery.position().offset()));
    }

    private Stream<QuarantineEntry> before(String consumer, Position position, long keyHash) {
        return keyed(consumer)
                .filter(entry -> entry.message().keyHash() == keyHash)
                .filter(entry -> isIn(entry, position.stream(), position.partition()))
                .filter(entry -> position(entry).offset() < position.offset());
    }

    @Override
    public List<Follower> freeFollowers(String consumer, int limit) {
        return keyed(consumer)
                .filter(entry -> entry.message().isBehind())
                .filter(entry -> before(
                                consumer, position(entry), entry.message().keyHash())
                        .findAny()
                        .isEmpty())
                .sorted(Comparator.comparing(MemoryQuarantine::position, IN_ORDER))
                .limit(limit)
                .map(entry -> new Follower(entry.message().delivery().id(), entry.generation(), position(entry)))
                .toList();
    }

    private Stream<QuarantineEntry> keyed(String consumer) {
        return transactions
                .exclusively(
                        () -> List.copyOf(messages.all(transactions.active()).values()))
                .stream()
                .filter(entry -> entry.message().delivery().id().consumer().equals(consumer))
                .filter(entry -> entry.message().keyHash() != 0);
    }

    private static boolean isIn(QuarantineEntry entry, String stream, int partition) {
        return position(entry).partition() == partition
                && position(entry).stream().equals(stream);
    }

    private static Position position(QuarantineEntry entry) {
        return entry.message().delivery().position();
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

    /** Names the place of the messages for the log. */
    @Override
    public String toString() {
        return "the memory of this process";
    }
}
