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
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Decides about new messages that the purge may have deleted. Messages are settled in the order of their offsets, so a message at or before the horizon of
 * its partition was settled once. If it has no row, nobody can tell whether it was processed.
 *
 * <p>A claim reads the horizon only if it is granted a message of a partition that this process meets for the first time, has not claimed from for a minute,
 * or has claimed a later offset of. The purge commits a horizon together with the deletions, and the claim reads it after its inserts, so it sees the
 * horizon of each row that it did not meet. Thread-safe.
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
    private final Unjudged unjudged;
    private final Map<Partition, Progress> progress = new ConcurrentHashMap<>();

    TableHorizons(StoreDatabase database, Unjudged unjudged) {
        this.database = database;
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
        Set<Partition> open = new HashSet<>();
        ranges.forEach((partition, range) -> {
            if (!isAhead(progress.get(partition), range)) {
                open.add(partition);
            }
        });
        Set<MessageKey> skipped = open.isEmpty() ? Set.of() : skipped(connection, lookup, rows, open);
        ranges.forEach((partition, range) -> progress.merge(
                partition,
                Progress.now(range.last),
                (before, now) -> new Progress(Math.max(before.offset(), now.offset()), now.nanos(), now.millis())));
        return skipped;
    }

    private static boolean isAhead(@Nullable Progress before, Range range) {
        return before != null && before.offset() < range.first && before.isTrusted();
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

    private Set<MessageKey> skipped(
            Connection connection, MessageLookup lookup, Collection<MessageRow> rows, Set<Partition> open)
            throws SQLException {
        Set<MessageKey> inserted = new HashSet<>();
        rows.stream().filter(MessageRow::isGranted).forEach(row -> inserted.add(row.key()));
        Set<MessageKey> skipped = new HashSet<>();
        Map<Partition, Optional<Horizon>> horizons = new HashMap<>();
        for (int i = 0; i < lookup.keys().size(); i++) {
            Delivery delivery = lookup.deliveries().get(i);
            MessageKey key = lookup.keys().get(i);
            Partition partition = partitionOf(delivery);
            if (!open.contains(partition) || !inserted.contains(key)) {
                continue;
            }
            MessageArrival arrival = lookup.arrivals().get(key);
            if (!horizons.containsKey(partition) && arrival != null) {
                horizons.put(
                        partition, database.messages(connection).horizon(connection, key.consumer(), arrival.place()));
            }
            Optional<Horizon> horizon = horizons.getOrDefault(partition, Optional.empty());
            if (horizon.isPresent()
                    && delivery.position().offset() <= horizon.get().offset()) {
                skipped.add(skip(delivery, key, horizon.get()));
            }
        }
        return skipped;
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
