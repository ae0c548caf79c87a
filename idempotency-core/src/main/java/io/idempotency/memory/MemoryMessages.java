package io.idempotency.memory;

import io.idempotency.store.ConflictException;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.MessageRange;
import io.idempotency.store.MessageStatus;
import io.idempotency.store.StoredMessage;
import io.idempotency.store.StoredMessages;
import io.idempotency.store.StoredResult;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The messages of the memory store, for operators. A batch holds the monitor. */
final class MemoryMessages implements StoredMessages {

    private final InstantSource clock;
    private final MemoryTransactions transactions;
    private final MemoryTable<MemoryRow> rows;
    private final MemoryTable<Map<String, StoredResult>> results;
    private final Set<String> registered = ConcurrentHashMap.newKeySet();

    MemoryMessages(
            InstantSource clock,
            MemoryTransactions transactions,
            MemoryTable<MemoryRow> rows,
            MemoryTable<Map<String, StoredResult>> results) {
        this.clock = clock;
        this.transactions = transactions;
        this.rows = rows;
        this.results = results;
    }

    @Override
    public Optional<StoredMessage> look(MessageId id) {
        return transactions.exclusively(() ->
                Optional.ofNullable(rows.get(id, transactions.active())).map(row -> stored(row, clock.instant())));
    }

    private static StoredMessage stored(MemoryRow row, Instant now) {
        MessageStatus status = MessageStatus.valueOf(row.state().name());
        return new StoredMessage(
                status, row.position(), row.lastUse(), Duration.between(row.lastUse(), now), row.attempt());
    }

    void register(String consumer) {
        registered.add(consumer);
    }

    /** {@inheritDoc} A memory store does not know: whoever purges it gives the time. */
    @Override
    public Retained retained(String consumer) {
        return new Retained(Optional.empty(), Optional.empty());
    }

    @Override
    public SortedSet<String> consumers() {
        return transactions.exclusively(() -> Stream.concat(
                        registered.stream(),
                        rows.all(transactions.active()).keySet().stream().map(MessageId::consumer))
                .collect(Collectors.toCollection(TreeSet::new)));
    }

    @Override
    public boolean drop(Delivery delivery) {
        boolean[] dropped = new boolean[1];
        transactions.changing(rows, delivery.id(), transaction -> {
            Instant now = clock.instant();
            MemoryRow row = rows.get(delivery.id(), transaction);
            if (row != null && row.isLive(now)) {
                throw new ConflictException(
                        "A handler works on " + delivery + " until " + row.until() + ", so it cannot be dropped now");
            }
            if (row == null || !row.isProcessed()) {
                MemoryRow before = row == null ? MemoryRow.processed(delivery.position(), now) : row;
                rows.change(delivery.id(), before.dropped(now), transaction);
                dropped[0] = true;
            }
        });
        return dropped[0];
    }

    /** Forgets a message; returns whether it was remembered. */
    boolean forget(MessageId id) {
        boolean[] remembered = new boolean[1];
        transactions.changing(rows, id, transaction -> {
            MemoryRow row = rows.get(id, transaction);
            if (row != null && row.isQuarantined()) {
                throw new ConflictException(id + " is in quarantine, so it is not forgotten: replay it, or drop it");
            }
            remembered[0] = row != null;
            if (remembered[0]) {
                rows.change(id, null, transaction);
                results.change(id, null, transaction);
            }
        });
        return remembered[0];
    }

    @Override
    public Batch forget(MessageRange range, String after, int limit) {
        return batch(range, after, limit, this::forget);
    }

    @Override
    public Batch count(MessageRange range, String after, int limit) {
        return batch(range, after, limit, id -> true);
    }

    private interface Act {
        boolean on(MessageId id);
    }

    private Batch batch(MessageRange range, String after, int limit, Act act) {
        List<MessageId> page = transactions.exclusively(() -> rows.all(transactions.active()).keySet().stream()
                .filter(id ->
                        id.consumer().equals(range.consumer()) && id.value().compareTo(after) > 0)
                .sorted()
                .limit(limit)
                .toList());
        long messages = 0;
        long quarantined = 0;
        for (MessageId id : page) {
            MemoryRow row = transactions.exclusively(() -> rows.get(id, transactions.active()));
            if (row == null || !row.isSettled() || !isIn(range, row)) {
                continue;
            }
            if (row.isQuarantined()) {
                quarantined++;
            } else if (act.on(id)) {
                messages++;
            }
        }
        return new Batch(messages, quarantined, next(page, limit));
    }

    private static Optional<String> next(List<MessageId> page, int limit) {
        return page.size() < limit
                ? Optional.empty()
                : Optional.of(page.get(page.size() - 1).value());
    }

    private static boolean isIn(MessageRange range, MemoryRow row) {
        boolean isThere = !range.isOfOffsets()
                || (row.position().stream().equals(range.stream())
                        && row.position().partition() == range.partition()
                        && row.position().offset() >= range.firstOffset()
                        && row.position().offset() <= range.lastOffset());
        return isThere && !row.at().isBefore(range.from()) && row.at().isBefore(range.to());
    }
}
