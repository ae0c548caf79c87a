package io.idempotency.jdbc;

import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Position;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Decides about new messages that the purge may have deleted. Messages are settled in the order of their offsets, so a message at or before the horizon of
 * its partition was settled once. If it has no row, nobody can tell whether it was processed.
 *
 * <p>A claim reads the horizon only if it is granted a message of a partition that this process meets for the first time, has not claimed from for a minute,
 * or has claimed a later offset of. The purge commits a horizon together with the deletions, and the claim reads it after its inserts, so it sees the
 * horizon of each row that it did not meet. Only at an isolation level above READ COMMITTED, and only if the transaction has read before its claim, a
 * purge that commits between the two stays unseen. Thread-safe.
 */
final class TableHorizons {

    /** How long a partition counts as this process's own. A process that was paused for longer may have lost it. */
    private static final Duration TRUSTED = Duration.ofMinutes(1);

    private record Partition(String consumer, String stream, int number) {}

    /** The offsets of a claim in one partition. */
    private static final class Range {
        long first = Long.MAX_VALUE;
        long last = -1;
    }

    /** How far this process has claimed in a partition. Both clocks have to agree, since one of them stops while the machine sleeps. */
    private record Progress(long offset, long nanos, long millis) {

        static Progress now(long offset) {
            return new Progress(offset, System.nanoTime(), System.currentTimeMillis());
        }

        boolean isTrusted() {
            return System.nanoTime() - nanos < TRUSTED.toNanos()
                    && Math.abs(System.currentTimeMillis() - millis) < TRUSTED.toMillis();
        }
    }

    private final StoreDatabase database;
    private final Tables tables;
    private final Unjudged unjudged;
    private final Map<Partition, Progress> progress = new ConcurrentHashMap<>();

    TableHorizons(StoreDatabase database, Tables tables, Unjudged unjudged) {
        this.database = database;
        this.tables = tables;
        this.unjudged = unjudged;
    }

    /** Forgets how far this process has claimed in a partition that it has given up. */
    void leave(String consumer, String stream, int partition) {
        progress.remove(new Partition(consumer, stream, partition));
    }

    /**
     * Returns the messages to skip, among those that the running transaction has just inserted.
     *
     * @throws IdempotencyException if one of them is at or before the horizon, and is to be refused
     */
    Set<MessageKey> skipped(Connection connection, MessageLookup lookup, Collection<MessageRow> rows)
            throws SQLException {
        if (unjudged == Unjudged.PROCESS) {
            return Set.of();
        }
        Map<Partition, Range> ranges = ranges(lookup.deliveries());
        Map<Partition, Long> claimed = new HashMap<>();
        ranges.forEach((partition, range) -> {
            long offset = claimed(partition);
            if (range.first <= offset) {
                claimed.put(partition, offset);
            }
        });
        Set<MessageKey> skipped = claimed.isEmpty() ? Set.of() : skipped(connection, lookup, rows, claimed);
        ranges.forEach((partition, range) -> progress.merge(
                partition,
                Progress.now(range.last),
                (before, now) -> new Progress(Math.max(before.offset(), now.offset()), now.nanos(), now.millis())));
        return skipped;
    }

    /** Returns the greatest offset that this process has claimed in a partition of its own, and no less than any offset for other partitions. */
    private long claimed(Partition partition) {
        Progress known = progress.get(partition);
        return known != null && known.isTrusted() ? known.offset() : Long.MAX_VALUE;
    }

    private static Map<Partition, Range> ranges(List<Delivery> deliveries) {
        Map<Partition, Range> ranges = new HashMap<>();
        Delivery last = null;
        Range range = new Range();
        for (Delivery delivery : deliveries) {
            Position position = delivery.position();
            if (position.equals(Position.UNKNOWN)) {
                continue;
            }
            if (last == null || !Names.areOfOnePlace(last, delivery)) {
                range = ranges.computeIfAbsent(partitionOf(delivery), partition -> new Range());
            }
            last = delivery;
            range.first = Math.min(range.first, position.offset());
            range.last = Math.max(range.last, position.offset());
        }
        return ranges;
    }

    private static Partition partitionOf(Delivery delivery) {
        Position position = delivery.position();
        return new Partition(delivery.id().consumer(), position.stream(), position.partition());
    }

    /** @param claimed the partitions in which a message is at or before the given offset; only such messages may be behind the horizon */
    private Set<MessageKey> skipped(
            Connection connection, MessageLookup lookup, Collection<MessageRow> rows, Map<Partition, Long> claimed)
            throws SQLException {
        Set<MessageKey> inserted = new HashSet<>();
        rows.stream().filter(MessageRow::isGranted).forEach(row -> inserted.add(row.key()));
        Set<MessageKey> skipped = new HashSet<>();
        Map<Partition, Horizon> horizons = new HashMap<>();
        for (int i = 0; i < lookup.keys().size(); i++) {
            Delivery delivery = lookup.deliveries().get(i);
            MessageKey key = lookup.keys().get(i);
            Partition partition = partitionOf(delivery);
            long offset = delivery.position().offset();
            if (!inserted.contains(key) || offset > claimed.getOrDefault(partition, Long.MIN_VALUE)) {
                continue;
            }
            Horizon horizon = horizons.get(partition);
            if (horizon == null) {
                horizon = horizon(connection, lookup, key);
                horizons.put(partition, horizon);
            }
            if (offset <= horizon.offset()) {
                skipped.add(skip(delivery, key, horizon));
            }
        }
        return skipped;
    }

    private Horizon horizon(Connection connection, MessageLookup lookup, MessageKey key) throws SQLException {
        MessageArrival arrival = Objects.requireNonNull(lookup.arrivals().get(key));
        return Horizon.read(connection, database.dialect(connection), tables, key.consumer(), arrival.place())
                .orElse(Horizon.NONE);
    }

    private MessageKey skip(Delivery delivery, MessageKey key, Horizon horizon) {
        if (unjudged == Unjudged.SKIP) {
            return key;
        }
        throw new IdempotencyException("Nobody can tell whether " + delivery + " was processed: the purge has deleted"
                + " the messages of this partition up to offset " + horizon.offset()
                + ", the last of them settled at " + StoredTime.instant(horizon.at())
                + ". Were the offsets of the group reset? Then decide: let the store process or skip such records, by"
                + " TableStore.builder(..).unjudged(..) or idempotency.unjudged; or set the offsets of the group behind "
                + horizon.offset());
    }
}
