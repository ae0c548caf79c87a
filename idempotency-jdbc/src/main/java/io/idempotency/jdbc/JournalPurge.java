package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Deletes the oldest segments of one journal, never the newest, and notes in its head how far: whoever reads the journal next begins there, and a
 * delivery from in front of the first segment that is left cannot be judged any more. Not only one from the deleted segments: between them may
 * stand copies that were skipped, and a skipped copy leaves no entry.
 */
final class JournalPurge {

    private final Journals journals;

    /** The last segment to be deleted, what it leaves as the horizon, and how many messages go. */
    private record Old(long version, long offset, int messages) {}

    JournalPurge(Journals journals) {
        this.journals = journals;
    }

    JournalDialect.Purged purge(Connection connection, long olderThanMicros, int limit) throws SQLException {
        Head head = oldest(connection, olderThanMicros);
        if (head == null) {
            return new JournalDialect.Purged(0, null);
        }
        Old old = old(connection, head, head.at() - olderThanMicros, limit);
        delete(connection, head, old);
        Head raised = head.withHorizon(
                old.version(), Math.max(old.offset(), firstOffset(connection, head, old.version() + 1) - 1));
        raiseHorizon(connection, raised);
        return new JournalDialect.Purged(old.messages(), raised);
    }

    private static final String OLDEST = """
            select consumer, place, version, token, at_micros, horizon_version, horizon_offset, partitions
            from ${tables}journal j
            where exists (
                select 1 from ${tables}segment s
                where s.consumer = j.consumer and s.place = j.place and s.version = j.horizon_version + 1
                    and s.at_micros < j.at_micros - ?)
            order by consumer, place fetch first 1 rows only ${locking}
            """;

    /** Returns the first journal with something to purge, locked. */
    private @Nullable Head oldest(Connection connection, long olderThanMicros) throws SQLException {
        String query = journals.tables.fill(OLDEST).replace("${locking}", journals.skipLocked());
        try (PreparedStatement statement = connection.prepareStatement(query)) {
            statement.setLong(1, olderThanMicros);
            List<Head> heads = Journals.readHeads(statement);
            return heads.isEmpty() ? null : heads.get(0);
        }
    }

    private static final String OLD = """
            select version, last_offset, octet_length(ids) from ${tables}segment
            where consumer = ? and place = ? and version > ? and at_micros < ? order by version
            fetch first ${limit} rows only
            """;

    private Old old(Connection connection, Head head, long before, int limit) throws SQLException {
        String query = journals.tables.fill(OLD).replace("${limit}", String.valueOf(limit));
        Old old = new Old(head.horizonVersion(), head.horizonOffset(), 0);
        try (PreparedStatement statement = connection.prepareStatement(query)) {
            statement.setInt(1, head.key().consumer());
            statement.setLong(2, head.key().place());
            statement.setLong(3, head.horizonVersion());
            statement.setLong(4, before);
            try (ResultSet result = statement.executeQuery()) {
                while (result.next() && old.messages() < limit) {
                    old = new Old(
                            result.getLong(1),
                            Math.max(old.offset(), result.getLong(2)),
                            old.messages() + result.getInt(3) / 16);
                }
            }
        }
        return old;
    }

    private static final String DELETE =
            "delete from ${tables}segment where consumer = ? and place = ? and version > ? and version <= ?";

    private void delete(Connection connection, Head head, Old old) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(journals.tables.fill(DELETE))) {
            statement.setInt(1, head.key().consumer());
            statement.setLong(2, head.key().place());
            statement.setLong(3, head.horizonVersion());
            statement.setLong(4, old.version());
            statement.executeUpdate();
        }
    }

    private static final String FIRST_OFFSET =
            "select first_offset from ${tables}segment where consumer = ? and place = ? and version = ?";

    private long firstOffset(Connection connection, Head head, long version) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(journals.tables.fill(FIRST_OFFSET))) {
            statement.setInt(1, head.key().consumer());
            statement.setLong(2, head.key().place());
            statement.setLong(3, version);
            try (ResultSet result = statement.executeQuery()) {
                return result.next() ? result.getLong(1) : 0;
            }
        }
    }

    private static final String RAISE =
            "update ${tables}journal set horizon_version = ?, horizon_offset = ? where consumer = ? and place = ?";

    private void raiseHorizon(Connection connection, Head head) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(journals.tables.fill(RAISE))) {
            statement.setLong(1, head.horizonVersion());
            statement.setLong(2, head.horizonOffset());
            statement.setInt(3, head.key().consumer());
            statement.setLong(4, head.key().place());
            statement.executeUpdate();
        }
    }
}
