package io.idempotency.jdbc;

import io.idempotency.jdbc.ArchiveHead.Span;
import io.idempotency.jdbc.ArchiveHead.State;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * Deletes what archives have replaced: segments up to the archived version, and dead archives. In batches, each in a transaction of its own, without the locks of
 * journals. Nobody reads these rows any more. Several nodes may do it at a time.
 */
final class ArchiveCleaning {

    private static final int SEGMENTS_AT_A_TIME = 1000;
    private static final int PAGES_AT_A_TIME = 500;
    private static final int FILTERS_AT_A_TIME = 4;

    private final Connections connections;
    private final StoreDatabase database;
    private final Tables tables;
    private final ArchiveChanges changes;

    ArchiveCleaning(Connections connections, StoreDatabase database, Tables tables) {
        this.connections = connections;
        this.database = database;
        this.tables = tables;
        this.changes = new ArchiveChanges(tables);
    }

    /** Deletes everything that is replaced, as long as it is told to go on. */
    void run(BooleanSupplier isGoingOn) {
        connections.alone("look for archives that nobody builds", connection -> {
            changes.expire(connection, database.now(connection) - StoredTime.micros(ArchiveBuild.LEASE));
            return true;
        });
        for (Old old : connections.alone("look for archived segments", this::old)) {
            long from = old.from();
            while (from <= old.to()) {
                long to = Math.min(old.to(), from + SEGMENTS_AT_A_TIME - 1);
                long begin = from;
                connections.alone("delete archived segments", connection -> delete(connection, old.key(), begin, to));
                from = to + 1;
                if (!isGoingOn.getAsBoolean()) {
                    return;
                }
            }
        }
        for (ArchiveHead dead : connections.alone("look for dead archives", this::dead)) {
            boolean isMore = true;
            while (isMore) {
                isMore = connections.alone("delete a dead archive", connection -> delete(connection, dead));
                if (!isGoingOn.getAsBoolean()) {
                    return;
                }
            }
        }
    }

    /** Archived segments of a journal, by version. */
    private record Old(JournalKey key, long from, long to) {}

    private static final String OLD = """
            select j.consumer, j.place, j.archived_version,
                (select min(s.version) from ${tables}segment s where s.consumer = j.consumer and s.place = j.place)
            from ${tables}journal j where j.archived_version > 0 order by j.consumer, j.place
            """;

    private List<Old> old(Connection connection) throws SQLException {
        List<Old> all = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(OLD));
                ResultSet row = statement.executeQuery()) {
            while (row.next()) {
                long first = row.getLong(4);
                if (!row.wasNull() && first <= row.getLong(3)) {
                    all.add(new Old(new JournalKey(row.getInt(1), row.getLong(2)), first, row.getLong(3)));
                }
            }
        }
        return all;
    }

    private static final String DELETE_SEGMENTS =
            "delete from ${tables}segment where consumer = ? and place = ? and version >= ? and version <= ?";

    private int delete(Connection connection, JournalKey key, long from, long to) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(DELETE_SEGMENTS))) {
            statement.setInt(1, key.consumer());
            statement.setLong(2, key.place());
            statement.setLong(3, from);
            statement.setLong(4, to);
            return statement.executeUpdate();
        }
    }

    private static final String DEAD =
            "select consumer, place, archive, seed from ${tables}archive where state = ? order by consumer, place, archive";

    private List<ArchiveHead> dead(Connection connection) throws SQLException {
        List<ArchiveHead> all = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(DEAD))) {
            statement.setInt(1, State.DEAD.number());
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    JournalKey key = new JournalKey(row.getInt(1), row.getLong(2));
                    all.add(new ArchiveHead(key, row.getLong(3), State.DEAD, row.getLong(4), Span.NONE, 0, 0));
                }
            }
        }
        return all;
    }

    /** Deletes some pages of an archive, then its filters, then its header. Returns whether it is still there. The header lets others wait. */
    private boolean delete(Connection connection, ArchiveHead dead) throws SQLException {
        if (!changes.renew(connection, dead, State.DEAD, database.now(connection))) {
            return false;
        }
        if (deleteSome(connection, dead, "archive_page", PAGES_AT_A_TIME)
                || deleteSome(connection, dead, "archive_filter", FILTERS_AT_A_TIME)) {
            return true;
        }
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(DELETE_HEAD))) {
            ArchiveRows.setKey(statement, dead);
            statement.executeUpdate();
        }
        return false;
    }

    private static final String DELETE_HEAD =
            "delete from ${tables}archive where consumer = ? and place = ? and archive = ?";

    private static final String LAST = """
            select max(first_hash) from (
                select first_hash from ${tables}${table}
                where consumer = ? and place = ? and archive = ? order by first_hash fetch first ${limit} rows only
            ) some_rows
            """;

    private static final String DELETE_SOME =
            "delete from ${tables}${table} where consumer = ? and place = ? and archive = ? and first_hash <= ?";

    private boolean deleteSome(Connection connection, ArchiveHead dead, String table, int limit) throws SQLException {
        String last = tables.fill(LAST).replace("${table}", table).replace("${limit}", String.valueOf(limit));
        String delete = tables.fill(DELETE_SOME).replace("${table}", table);
        try (PreparedStatement query = connection.prepareStatement(last);
                PreparedStatement statement = connection.prepareStatement(delete)) {
            ArchiveRows.setKey(query, dead);
            ArchiveRows.setKey(statement, dead);
            try (ResultSet result = query.executeQuery()) {
                result.next();
                statement.setLong(4, result.getLong(1));
                return !result.wasNull() && statement.executeUpdate() > 0;
            }
        }
    }
}
