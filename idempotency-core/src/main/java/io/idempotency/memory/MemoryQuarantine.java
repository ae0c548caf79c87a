package io.idempotency.memory;

import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineCount;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineGroup;
import io.idempotency.store.QuarantineGroups;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantineSummary;
import io.idempotency.store.QuarantineTotal;
import io.idempotency.store.QuarantinedMessage;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
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
    /** The order of topic, partition and offset. */
    private static final Comparator<Delivery> ORDER = Comparator.comparing(
                    Delivery::position,
                    Comparator.comparing(Position::stream)
                            .thenComparing(Position::partition)
                            .thenComparing(Position::offset))
            .thenComparing(delivery -> delivery.id().value());

    private final MemoryTransactions transactions;
    private final MemoryTable<QuarantineEntry> messages;
    private final InstantSource clock;
    private Function<QuarantineEntry, Optional<String>> replays = entry -> Optional.empty();
    private long generation;

    /** Creates an empty quarantine that takes part in the store's transactions. */
    public MemoryQuarantine(MemoryStore store) {
        this.transactions = store.memoryTransactions();
        this.messages = transactions.newTable();
        this.clock = store.clock();
        store.keepAll(id -> messages.get(id, null) != null);
    }

    /** Sets who knows to which running replay a message belongs. */
    void replays(Function<QuarantineEntry, Optional<String>> membership) {
        replays = membership;
    }

    private QuarantineEntry withReplay(QuarantineEntry entry) {
        return new QuarantineEntry(
                entry.message(), entry.generation(), entry.firstAt(), entry.at(), replays.apply(entry));
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
        return transactions.exclusively(() ->
                Optional.ofNullable(messages.get(id, transactions.active())).map(this::withReplay));
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
                taken.set(withReplay(kept));
            }
        });
        return Optional.ofNullable(taken.get());
    }

    @Override
    public List<QuarantineSummary> list(QuarantineSelection selection, Optional<Delivery> after, int limit) {
        return chosen(selection).stream()
                .filter(entry ->
                        after.isEmpty() || ORDER.compare(entry.message().delivery(), after.get()) > 0)
                .limit(limit)
                .map(MemoryQuarantine::summary)
                .toList();
    }

    private static QuarantineSummary summary(QuarantineEntry entry) {
        QuarantinedMessage message = entry.message();
        return new QuarantineSummary(
                message.delivery(),
                entry.firstAt(),
                entry.at(),
                message.failure().type(),
                message.failure().group(),
                message.attempts(),
                message.isBehind(),
                entry.replay());
    }

    @Override
    public QuarantineCount count(QuarantineSelection selection) {
        Map<String, Long> types = new HashMap<>();
        Map<String, Long> groups = new HashMap<>();
        List<QuarantineEntry> chosen = chosen(selection);
        for (QuarantineEntry entry : chosen) {
            types.merge(entry.message().failure().type(), 1L, Long::sum);
            groups.merge(entry.message().failure().group(), 1L, Long::sum);
        }
        Optional<Instant> oldest = chosen.stream().map(QuarantineEntry::firstAt).min(Comparator.naturalOrder());
        return new QuarantineCount(chosen.size(), types, groups, oldest);
    }

    @Override
    public List<QuarantineGroup> groups(QuarantineSelection selection, int limit) {
        QuarantineGroups groups = new QuarantineGroups();
        Instant now = clock.instant();
        for (QuarantineEntry entry : chosen(selection)) {
            long hoursAgo = Duration.between(entry.firstAt(), now).toHours();
            groups.add(
                    entry.message().failure(),
                    (int) Math.min(hoursAgo, QuarantineGroup.HOURS),
                    1,
                    entry.firstAt(),
                    entry.firstAt());
        }
        return groups.greatest(limit);
    }

    /** Returns the chosen messages as the running transaction sees them, in order of topic, partition and offset, whatever the limit of the selection. */
    List<QuarantineEntry> chosen(QuarantineSelection selection) {
        Set<String> ids = Set.copyOf(selection.ids());
        return transactions.exclusively(() -> messages.all(transactions.active()).values().stream()
                .filter(entry -> MemorySelection.isChosen(entry, selection, ids))
                .sorted(Comparator.comparing(entry -> entry.message().delivery(), ORDER))
                .map(this::withReplay)
                .toList());
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

    @Override
    public long countBehind(String consumer, Position position, long keyHash) {
        return keyed(consumer)
                .filter(entry -> entry.message().isBehind() && entry.message().keyHash() == keyHash)
                .filter(entry -> isIn(entry, position.stream(), position.partition()))
                .filter(entry -> position(entry).offset() > position.offset())
                .count();
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
                .filter(entry ->
                        entry.message().isBehind() && replays.apply(entry).isEmpty())
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
