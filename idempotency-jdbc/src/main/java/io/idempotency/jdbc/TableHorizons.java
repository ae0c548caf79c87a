package io.idempotency.jdbc;

import io.idempotency.store.Delivery;
import io.idempotency.store.Position;
import io.idempotency.store.StandStillException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Decides about new messages that the purge may have deleted. Messages are settled in the order of their offsets, so a message at or before the horizon of
 * its partition was settled once. If it has no row, nobody can tell whether it was processed.
 *
 * <p>For the same reason every message behind one that was granted is new. So a claim reads the horizon only for a partition that this process meets for the
 * first time or has not claimed from for a minute, and for a message before one that it was granted. Duplicates say nothing about the messages behind them:
 * a purge may be deleting those while offsets that were set back are read again.
 *
 * <p>Messages of a share group are settled in any order. So for them no horizon is read, and none that their rows raise has anything behind it, see {@link
 * MessageArrival#unordered}.
 *
 * <p>The purge commits a horizon together with the deletions, and the claim reads it after its inserts, so it sees the horizon of each row that it did not
 * meet. Only at an isolation level above READ COMMITTED, and only if the transaction has read before its claim, a purge that commits between the two stays
 * unseen. Thread-safe.
 */
final class TableHorizons {

    /** How long a partition counts as this process's own. A process that was paused for longer may have lost it. */
    private static final Duration TRUSTED = Duration.ofMinutes(1);

    private record Partition(String consumer, String stream, int number) {

        static Partition of(Delivery delivery) {
            Position position = delivery.position();
            return new Partition(delivery.id().consumer(), position.stream(), position.partition());
        }
    }

    /**
     * How far this process has been granted messages in a partition. Both clocks have to agree, since one of them stops while the machine sleeps.
     *
     * @param offset the greatest offset of a granted message; every later one is new
     */
    private record Progress(long offset, long nanos, long millis) {

        Progress and(Progress later) {
            return new Progress(Math.max(offset, later.offset), later.nanos, later.millis);
        }

        boolean isTrusted(long nowNanos) {
            return nowNanos - nanos < TRUSTED.toNanos()
                    && Math.abs(System.currentTimeMillis() - millis) < TRUSTED.toMillis();
        }
    }

    private final MessageTable messages;
    private final StoreDatabase database;
    private final Tables tables;
    private final UnjudgedRecords unjudged;
    private final LongSupplier nanoTime;
    private final Map<Partition, Progress> progress = new ConcurrentHashMap<>();
    /** The partitions of which the log says that they were set back. */
    private final Set<Partition> told = ConcurrentHashMap.newKeySet();

    TableHorizons(MessageTable messages, Tables tables, UnjudgedRecords unjudged, LongSupplier nanoTime) {
        this.messages = messages;
        this.database = messages.database();
        this.tables = tables;
        this.unjudged = unjudged;
        this.nanoTime = nanoTime;
    }

    /** Forgets how far this process has come in a partition that it has given up. */
    void leave(String consumer, String stream, int partition) {
        Partition left = new Partition(consumer, stream, partition);
        progress.remove(left);
        told.remove(left);
    }

    /**
     * Returns the messages to skip, among those that the running transaction has just inserted. If they are to be skipped or processed, the log warns once
     * for each partition that was set back.
     *
     * @param rows the rows of the claim; those that are granted were inserted
     * @throws StandStillException if one of them is at or before the horizon, and is to be refused
     */
    Set<MessageKey> skipped(Connection connection, MessageLookup lookup, Collection<MessageRow> rows)
            throws SQLException {
        Decision decision = new Decision(connection, lookup, rows);
        decision.decide();
        long nanos = nanoTime.getAsLong();
        long millis = System.currentTimeMillis();
        decision.granted.forEach(
                (partition, offset) -> progress.merge(partition, new Progress(offset, nanos, millis), Progress::and));
        tell(decision);
        return decision.skipped;
    }

    private void tell(Decision decision) {
        decision.setBack.forEach((partition, setBack) -> {
            if (told.add(partition)) {
                setBack.warn(Loggers.TABLE_STORE, unjudged.choice());
            }
        });
        if (!told.isEmpty()) {
            decision.granted.keySet().stream()
                    .filter(partition -> !decision.setBack.containsKey(partition))
                    .forEach(told::remove);
        }
    }

    /** The decision about the deliveries of one claim. */
    private final class Decision {

        private final Connection connection;
        private final MessageLookup lookup;
        /** The keys of the inserted rows; null if every message of the claim was inserted. */
        private final @Nullable Set<MessageKey> inserted;

        private final Set<MessageKey> skipped = new HashSet<>();
        private final Map<Partition, TableHorizon> horizons = new HashMap<>();
        private final Map<Partition, SetBack> setBack = new HashMap<>();
        /** The greatest offset of a message that is new for certain, in each partition. */
        private final Map<Partition, Long> granted = new HashMap<>();

        Decision(Connection connection, MessageLookup lookup, Collection<MessageRow> rows) {
            this.connection = connection;
            this.lookup = lookup;
            this.inserted = inserted(rows, lookup.arrivals().size());
        }

        private static @Nullable Set<MessageKey> inserted(Collection<MessageRow> rows, int messages) {
            Set<MessageKey> some = new HashSet<>();
            boolean isAll = rows.size() == messages;
            for (MessageRow row : rows) {
                isAll &= row.isGranted();
            }
            for (MessageRow row : rows) {
                if (!isAll && row.isGranted()) {
                    some.add(row.key());
                }
            }
            return isAll ? null : some;
        }

        void decide() throws SQLException {
            Delivery last = null;
            Partition partition = null;
            long newFrom = 0;
            long greatest = -1;
            for (int i = 0; i < lookup.keys().size(); i++) {
                Delivery delivery = lookup.deliveries().get(i);
                MessageKey key = lookup.keys().get(i);
                if ((inserted != null && !inserted.contains(key))
                        || delivery.position().equals(Position.UNKNOWN)) {
                    continue;
                }
                if (partition == null || last == null || !Names.areOfOnePlace(last, delivery)) {
                    granted(partition, greatest);
                    partition = Partition.of(delivery);
                    newFrom = newFrom(partition);
                    greatest = -1;
                }
                last = delivery;
                if (delivery.position().offset() < newFrom) {
                    judge(partition, delivery, key);
                } else {
                    greatest = Math.max(greatest, delivery.position().offset());
                }
            }
            granted(partition, greatest);
        }

        private void granted(@Nullable Partition partition, long offset) {
            if (partition != null && offset >= 0) {
                granted.merge(partition, offset, Math::max);
            }
        }

        private void judge(Partition partition, Delivery delivery, MessageKey key) throws SQLException {
            TableHorizon known = horizons.get(partition);
            TableHorizon horizon = known == null ? horizon(key) : known;
            horizons.put(partition, horizon);
            if (horizon.isAtOrBehind(delivery)) {
                SetBack first = setBack.computeIfAbsent(partition, each -> new SetBack(delivery, horizon.offset()));
                Unjudged choice = unjudged.decide(delivery);
                if (choice == Unjudged.REFUSE) {
                    throw first.refused(
                            "nothing up to offset " + horizon.offset() + " is remembered there, settled at "
                                    + StoredTime.instant(horizon.at()) + " or before",
                            "TableStore.builder(..).unjudged(..)",
                            "");
                } else if (choice == Unjudged.SKIP) {
                    skipped.add(key);
                }
            } else if (delivery.position().offset() > horizon.offset()) {
                granted(partition, delivery.position().offset());
            }
        }

        private TableHorizon horizon(MessageKey key) throws SQLException {
            MessageArrival arrival = Objects.requireNonNull(lookup.arrivals().get(key));
            return TableHorizon.read(connection, database.dialect(connection), tables, key.consumer(), arrival.place())
                    .orElse(TableHorizon.NONE);
        }
    }

    /**
     * Returns the offset from which on all messages of the partition are new; no offset is, if this process has not claimed from it recently. All are, if they
     * come in any order: a share group delivers what is not settled.
     */
    private long newFrom(Partition partition) {
        if (messages.isInAnyOrder(partition.consumer())) {
            return 0;
        }
        @Nullable Progress known = progress.get(partition);
        return known != null && known.isTrusted(nanoTime.getAsLong()) ? known.offset() + 1 : Long.MAX_VALUE;
    }
}
