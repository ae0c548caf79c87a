package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * Deletes the oldest segments of one journal, and notes in its head how far: whoever reads the journal next begins there, and a
 * delivery from in front of the first segment that is left cannot be judged any more. Not only one from the deleted segments: between them may
 * stand copies that were skipped, and a skipped copy leaves no entry.
 *
 * <p>Age is measured against the newest segment, so that a consumer which stands still forgets nothing, or against the clocks if that lies ahead of them.
 */
final class JournalPurge {

    private static final Logger LOG = Loggers.JOURNAL_STORE;

    /** How far ahead a segment may lie before its clock was wrong. */
    private static final Duration AHEAD = Duration.ofMinutes(1);

    /** A journal to which nobody has appended for so long, beyond its retention, is forgotten up to its head: its partition or its consumer is gone. */
    private static final Duration GONE = Duration.ofDays(30);

    private final Journals journals;
    private final long retention;
    private final PurgeClock clock;

    /** The last segment to be deleted, what it leaves as the horizon, and how many messages go. */
    private record Old(long version, long offset, int messages) {}

    JournalPurge(Journals journals, long retention, PurgeClock clock) {
        this.journals = journals;
        this.retention = retention;
        this.clock = clock;
    }

    JournalDialect.Purged purge(Connection connection, JournalKey from, int limit) throws SQLException {
        JournalHead head = next(connection, from);
        if (head == null) {
            return JournalDialect.Purged.NOTHING;
        }
        if (head.at() > latest()) {
            mend(connection, head);
            head = head.withTime(clock.later());
        }
        Old old = old(connection, head, isGone(head) ? Long.MAX_VALUE : before(head), limit);
        if (old.messages() == 0) {
            return new JournalDialect.Purged(0, head);
        }
        delete(connection, head, old);
        JournalHead raised = head.withHorizon(
                old.version(), Math.max(old.offset(), firstOffset(connection, head, old.version() + 1) - 1));
        raiseHorizon(connection, raised);
        return new JournalDialect.Purged(old.messages(), raised);
    }

    private long latest() {
        return clock.later() + StoredTime.micros(AHEAD);
    }

    private long gone() {
        return clock.earlier() - retention - StoredTime.micros(GONE);
    }

    private boolean isGone(JournalHead head) {
        return head.at() < gone();
    }

    private long before(JournalHead head) {
        return Math.min(head.at(), clock.earlier()) - retention;
    }

    private static final String NEXT = """
            select consumer, place, version, token, at_micros, horizon_version, horizon_offset, partitions
            from ${tables}journal j
            where consumer = ? and place >= ? and version > horizon_version
                and (at_micros > ? or at_micros < ? or exists (
                    select 1 from ${tables}segment s
                    where s.consumer = j.consumer and s.place = j.place and s.version = j.horizon_version + 1
                        and s.at_micros < least(j.at_micros, ?) - ?))
            order by consumer, place fetch first 1 rows only ${locking}
            """;

    /** Returns the next journal with something to purge or to mend, locked. */
    private @Nullable JournalHead next(Connection connection, JournalKey from) throws SQLException {
        String query = journals.tables.fill(NEXT).replace("${locking}", journals.skipLocked());
        try (PreparedStatement statement = connection.prepareStatement(query)) {
            statement.setInt(1, from.consumer());
            statement.setLong(2, from.place());
            statement.setLong(3, latest());
            statement.setLong(4, gone());
            statement.setLong(5, clock.earlier());
            statement.setLong(6, retention);
            List<JournalHead> heads = Journals.readHeads(statement.executeQuery());
            return heads.isEmpty() ? null : heads.get(0);
        }
    }

    private static final String MEND_SEGMENTS =
            "update ${tables}segment set at_micros = ? where consumer = ? and place = ? and version > ? and at_micros > ?";

    private static final String MEND_HEAD =
            "update ${tables}journal set at_micros = ? where consumer = ? and place = ?";

    /**
     * The database's clock was ahead when this was appended, and whatever is appended behind it takes its time over: it would not get old before that
     * time comes.
     */
    private void mend(Connection connection, JournalHead head) throws SQLException {
        LOG.warn(
                "The clock of the database was {} ahead when messages were appended to a journal: they are taken for new",
                Duration.of(head.at() - clock.later(), ChronoUnit.MICROS));
        try (PreparedStatement segments = connection.prepareStatement(journals.tables.fill(MEND_SEGMENTS));
                PreparedStatement heads = connection.prepareStatement(journals.tables.fill(MEND_HEAD))) {
            segments.setLong(1, clock.later());
            segments.setInt(2, head.key().consumer());
            segments.setLong(3, head.key().place());
            segments.setLong(4, head.horizonVersion());
            segments.setLong(5, clock.later());
            segments.executeUpdate();
            heads.setLong(1, clock.later());
            heads.setInt(2, head.key().consumer());
            heads.setLong(3, head.key().place());
            heads.executeUpdate();
        }
    }

    private static final String OLD = """
            select version, last_offset, octet_length(ids) from ${tables}segment
            where consumer = ? and place = ? and version > ? and at_micros < ? order by version
            fetch first ${limit} rows only
            """;

    private Old old(Connection connection, JournalHead head, long before, int limit) throws SQLException {
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

    private void delete(Connection connection, JournalHead head, Old old) throws SQLException {
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

    private long firstOffset(Connection connection, JournalHead head, long version) throws SQLException {
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

    private void raiseHorizon(Connection connection, JournalHead head) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(journals.tables.fill(RAISE))) {
            statement.setLong(1, head.horizonVersion());
            statement.setLong(2, head.horizonOffset());
            statement.setInt(3, head.key().consumer());
            statement.setLong(4, head.key().place());
            statement.executeUpdate();
        }
    }
}
