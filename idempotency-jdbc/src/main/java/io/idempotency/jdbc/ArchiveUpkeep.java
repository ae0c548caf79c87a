package io.idempotency.jdbc;

import io.idempotency.jdbc.ArchiveHead.Span;
import io.idempotency.jdbc.ArchiveHead.State;
import io.idempotency.jdbc.JournalDialect.Range;
import io.idempotency.store.TransientStoreException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;

/**
 * Moves the older messages of journals into archives, and merges archives:
 *
 * <ul>
 *   <li>If a journal has more than twice as many messages in segments as are to stay there, so many of the oldest become an archive, until it has not.
 *   <li>If it has more than {@value #MOST_ARCHIVES} archives, neighbours are merged, see {@link #neighbours}.
 * </ul>
 *
 * <p>No archive spans more than a quarter of the retention, so that the purge can drop whole ones. One node at a time builds an archive of a journal. All journals of
 * the tables are kept up, of any application, as the purge does. Whatever a crash leaves is deleted by the next run. Thread-safe.
 */
final class ArchiveUpkeep {

    /** The number of archives of a journal beyond which some are merged. A claim asks the filter of each. */
    static final int MOST_ARCHIVES = 8;

    private static final Logger LOG = Loggers.JOURNAL_STORE;
    private static final int SPANS_PER_RETENTION = 4;

    private final Connections connections;
    private final StoreDatabase database;
    private final Retentions retentions;
    private final Tables tables;
    private final int stayingMessages;
    private final Map<JournalKey, Counted> counted = new ConcurrentHashMap<>();

    /** How many messages the segments of a journal up to a version have. */
    private record Counted(long goneVersion, long version, long messages) {}

    /**
     * Names tables.
     *
     * @param stayingMessages how many messages of a journal stay in segments; 0 if archives are not to be built
     */
    ArchiveUpkeep(
            Connections connections,
            StoreDatabase database,
            Retentions retentions,
            Tables tables,
            int stayingMessages) {
        this.connections = connections;
        this.database = database;
        this.retentions = retentions;
        this.tables = tables;
        this.stayingMessages = stayingMessages;
    }

    /**
     * Runs until nothing is left to do, or until it is told to end; then what it was building is given up. A journal that others lock for too long is left for the
     * next run.
     *
     * @param isGoingOn asked after each transaction
     */
    void run(BooleanSupplier isGoingOn) {
        ArchiveCleaning cleaning = new ArchiveCleaning(connections, database, tables);
        cleaning.run(isGoingOn);
        if (stayingMessages == 0) {
            return;
        }
        SortedMap<Integer, Long> spans = connections.alone("read retentions", retentions::all);
        List<JournalKey> keys = connections.alone("read journals", this::keys);
        counted.keySet().retainAll(Set.copyOf(keys));
        for (JournalKey key : keys) {
            Long retention = spans.get(key.consumer());
            long mostSpan = retention == null ? Long.MAX_VALUE : Math.max(1, retention / SPANS_PER_RETENTION);
            try {
                while (isGoingOn.getAsBoolean()
                        && (archiveOldest(key, mostSpan, isGoingOn) || merge(key, mostSpan, isGoingOn))) {
                    cleaning.run(isGoingOn);
                }
            } catch (TransientStoreException e) {
                LOG.info("The archives of the journal of {} are left for the next run: {}", named(key), e.getMessage());
            }
        }
    }

    /** Returns the names of the journal; its numbers if the database is away. */
    private Object named(JournalKey key) {
        try {
            return connections.onCurrent("read names", connection -> database.place(connection, key));
        } catch (TransientStoreException e) {
            return key;
        }
    }

    private static final String KEYS =
            "select consumer, place from ${tables}journal where version > horizon_version order by consumer, place";

    private List<JournalKey> keys(Connection connection) throws SQLException {
        List<JournalKey> keys = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(KEYS));
                ResultSet row = statement.executeQuery()) {
            while (row.next()) {
                keys.add(new JournalKey(row.getInt(1), row.getLong(2)));
            }
        }
        return keys;
    }

    private boolean archiveOldest(JournalKey key, long mostSpan, BooleanSupplier isGoingOn) {
        Optional<ArchivedSegments> oldest =
                connections.alone("look at a journal", connection -> oldest(connection, key, mostSpan));
        return oldest.isPresent() && build(key, isGoingOn, oldest.get());
    }

    private boolean build(JournalKey key, BooleanSupplier isGoingOn, ArchiveSource source) {
        Journals journals = connections.onCurrent("look at the database", this::journals);
        return new ArchiveBuild(connections, database, journals, key, isGoingOn).run(source);
    }

    private Journals journals(Connection connection) throws SQLException {
        return (Journals) database.journals(connection);
    }

    private static final String SUM = """
            select sum(octet_length(ids)) / 16 from ${tables}segment where consumer = ? and place = ? and version > ? and version <= ?
            """;

    private static final String OLDEST = """
            select version, at_micros, octet_length(ids) / 16 from ${tables}segment where consumer = ? and place = ? and version > ?
            order by version
            """;

    /** Returns the segments for the next archive; empty if there are not enough messages. */
    private Optional<ArchivedSegments> oldest(Connection connection, JournalKey key, long mostSpan)
            throws SQLException {
        List<JournalHead> heads = database.journals(connection).heads(connection, List.of(key), false);
        if (heads.isEmpty() || sum(connection, heads.get(0)) <= 2L * stayingMessages) {
            return Optional.empty();
        }
        JournalHead head = heads.get(0);
        long last = head.goneVersion();
        long begin = 0;
        int messages = 0;
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(OLDEST))) {
            statement.setFetchSize(1000);
            setKey(statement, head, head.goneVersion());
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    begin = messages == 0 ? row.getLong(2) : begin;
                    int size = row.getInt(3);
                    if (messages > 0 && (messages + size > stayingMessages || row.getLong(2) - begin > mostSpan)) {
                        break;
                    }
                    messages += size;
                    last = row.getLong(1);
                }
            }
        }
        long before = journals(connection).archives().heads(connection, key, State.ACTIVE).stream()
                .mapToLong(archive -> archive.span().lastOffset())
                .reduce(head.horizonOffset(), Math::max);
        Range range = new Range(key, head.goneVersion() + 1, last);
        return last == head.goneVersion()
                ? Optional.empty()
                : Optional.of(new ArchivedSegments(journals(connection), range, before, messages));
    }

    /**
     * Returns how many messages the segments have. Where lengths of bytes are not stored apart, the database reads all ids for that, so only what was appended since the
     * last run is counted.
     */
    private long sum(Connection connection, JournalHead head) throws SQLException {
        Counted before = counted.get(head.key());
        if (before == null || before.goneVersion() != head.goneVersion() || before.version() > head.version()) {
            before = new Counted(head.goneVersion(), head.goneVersion(), 0);
        }
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(SUM))) {
            setKey(statement, head, before.version());
            statement.setLong(4, head.version());
            try (ResultSet result = statement.executeQuery()) {
                long messages = before.messages() + (result.next() ? result.getLong(1) : 0);
                counted.put(head.key(), new Counted(head.goneVersion(), head.version(), messages));
                return messages;
            }
        }
    }

    private static void setKey(PreparedStatement statement, JournalHead head, long version) throws SQLException {
        statement.setInt(1, head.key().consumer());
        statement.setLong(2, head.key().place());
        statement.setLong(3, version);
    }

    private boolean merge(JournalKey key, long mostSpan, BooleanSupplier isGoingOn) {
        List<ArchiveHead> archives = connections.alone(
                "look at archives",
                connection -> journals(connection).archives().heads(connection, key, State.ACTIVE));
        List<ArchiveHead> neighbours = neighbours(archives, mostSpan);
        return !neighbours.isEmpty()
                && build(
                        key,
                        isGoingOn,
                        new ArchivedArchives(
                                connections.onCurrent("look at the database", this::journals), neighbours));
    }

    /**
     * Returns which archives to merge; none if there are few, or if all would span too much. It is the run of neighbours that rewrites the fewest messages for each
     * one that gets into a greater archive: the sum, divided by the sum without the greatest. With 2000 archives a retention each message is rewritten nine times. If
     * always the smallest two were merged, it would be 150 times, because the small ones have few places left beside those that are as great as they may be.
     *
     * @param archives oldest first
     */
    static List<ArchiveHead> neighbours(List<ArchiveHead> archives, long mostSpan) {
        List<ArchiveHead> best = List.of();
        double leastCost = Double.MAX_VALUE;
        for (int from = 0; archives.size() > MOST_ARCHIVES && from < archives.size() - 1; from++) {
            Span first = archives.get(from).span();
            long sum = archives.get(from).messages();
            long greatest = sum;
            for (int to = from + 1; to < archives.size(); to++) {
                ArchiveHead next = archives.get(to);
                if (next.span().lastAt() - first.firstAt() > mostSpan) {
                    break;
                }
                sum += next.messages();
                greatest = Math.max(greatest, next.messages());
                double cost = (double) sum / Math.max(1, sum - greatest);
                if (cost < leastCost) {
                    leastCost = cost;
                    best = archives.subList(from, to + 1);
                }
            }
        }
        return best;
    }
}
