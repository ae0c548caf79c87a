package io.idempotency.jdbc;

import io.idempotency.jdbc.ArchiveHead.State;
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
 * Deletes the oldest segments of one journal, or its oldest archive if it has one, and moves the horizon in its head. Later reads begin at the horizon. For
 * a delivery before what remains, nobody can tell whether it was processed. This includes offsets between the deleted segments: they may be skipped copies, which
 * leave no entry. Quarantined messages are carried to the tip, see {@link JournalCarry}.
 *
 * <p>Age is measured against the newest segment, so that a consumer that stands still forgets nothing. If that segment lies ahead of the clocks, age is measured
 * against them.
 */
final class JournalPurge {

    private static final Logger LOG = Loggers.JOURNAL_STORE;

    /** How far a segment may lie ahead before its clock counts as wrong. */
    private static final Duration AHEAD = Duration.ofMinutes(1);

    /** The time beyond the retention after which a journal without appends is forgotten up to its head. Its partition or consumer is gone. */
    private static final Duration GONE = Duration.ofDays(30);

    private final Journals journals;
    private final long retention;
    private final PurgeClock clock;

    /** The last segment to delete, the offset of the new horizon, and the number of messages. */
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
        List<ArchiveHead> archives = journals.archives().heads(connection, head.key(), State.ACTIVE);
        if (!archives.isEmpty()) {
            return purge(connection, head, archives);
        }
        Old old = old(connection, head, isGone(head) ? Long.MAX_VALUE : before(head), limit);
        if (old.messages() == 0) {
            return new JournalDialect.Purged(0, head, null);
        }
        JournalDialect.Append carried = new JournalCarry(connection, journals, head).carry(old.version(), at(head));
        delete(connection, head, old);
        return raise(connection, head, old, firstOffset(connection, head, old), carried);
    }

    /** Raises the horizon over what is purged, and up to where the remaining messages begin. */
    private JournalDialect.Purged raise(
            Connection connection, JournalHead head, Old old, long first, JournalDialect.@Nullable Append carried)
            throws SQLException {
        JournalHead raised = head.withHorizon(old.version(), Math.max(old.offset(), first - 1));
        JournalHead last = carried == null ? raised : raised.withTip(carried.next(), at(head));
        raiseHorizon(connection, last);
        int forgotten =
                old.messages() - (carried == null ? 0 : carried.content().size());
        return new JournalDialect.Purged(Math.max(0, forgotten), last, carried);
    }

    /** Purges the oldest archive as a whole. Its pages are deleted later. */
    private JournalDialect.Purged purge(Connection connection, JournalHead head, List<ArchiveHead> archives)
            throws SQLException {
        ArchiveHead oldest = archives.get(0);
        if (!isGone(head) && oldest.span().lastAt() >= before(head)) {
            return new JournalDialect.Purged(0, head, null);
        }
        JournalDialect.Append carried = new JournalCarry(connection, journals, head).carry(archives, at(head));
        new ArchiveChanges(journals.tables).change(connection, oldest, State.ACTIVE, State.DEAD);
        Old old = new Old(
                oldest.span().lastVersion(),
                Math.max(head.horizonOffset(), oldest.span().lastOffset()),
                (int) Math.min(Integer.MAX_VALUE, oldest.messages()));
        long front = archives.stream()
                .skip(1)
                .mapToLong(archive -> archive.span().frontOffset())
                .filter(offset -> offset >= 0)
                .findFirst()
                .orElse(-1);
        long first =
                front >= 0 ? front : firstOffset(connection, head, new Old(head.archivedVersion(), old.offset(), 0));
        return raise(connection, head, old, first, carried);
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

    /**
     * Returns the time of a carried segment: not later than the newest message, against which age is measured. In a journal that is gone there is none.
     */
    private long at(JournalHead head) {
        return isGone(head) ? clock.earlier() : head.at();
    }

    private static final String NEXT = """
            select consumer, place, version, token, at_micros, horizon_version, horizon_offset, partitions,
                archived_version
            from ${tables}journal j
            where consumer = ? and place >= ? and version > horizon_version
                and (at_micros > ? or at_micros < ? or exists (
                    select 1 from ${tables}archive a
                    where a.consumer = j.consumer and a.place = j.place and a.state = ${active}
                        and a.last_micros < least(j.at_micros, ?) - ?
                ) or exists (
                    select 1 from ${tables}segment s
                    where s.consumer = j.consumer and s.place = j.place
                        and s.version = greatest(j.horizon_version, j.archived_version) + 1
                        and s.at_micros < least(j.at_micros, ?) - ?
                        and not exists (
                            select 1 from ${tables}archive a
                            where a.consumer = j.consumer and a.place = j.place and a.state = ${active})))
            order by consumer, place fetch first 1 rows only ${locking}
            """;

    /** Locks and returns the next journal with segments to purge or times to correct. */
    private @Nullable JournalHead next(Connection connection, JournalKey from) throws SQLException {
        String query = journals.tables
                .fill(NEXT)
                .replace("${active}", String.valueOf(State.ACTIVE.number()))
                .replace("${locking}", journals.skipLocked());
        try (PreparedStatement statement = connection.prepareStatement(query)) {
            statement.setInt(1, from.consumer());
            statement.setLong(2, from.place());
            statement.setLong(3, latest());
            statement.setLong(4, gone());
            statement.setLong(5, clock.earlier());
            statement.setLong(6, retention);
            statement.setLong(7, clock.earlier());
            statement.setLong(8, retention);
            List<JournalHead> heads = Journals.readHeads(statement.executeQuery());
            return heads.isEmpty() ? null : heads.get(0);
        }
    }

    private static final String MEND_SEGMENTS =
            "update ${tables}segment set at_micros = ? where consumer = ? and place = ? and version > ? and at_micros > ?";

    private static final String MEND_HEAD =
            "update ${tables}journal set at_micros = ? where consumer = ? and place = ?";

    /**
     * Corrects segments that were appended while the database's clock was ahead. Later segments take over their time, and would not get old before it
     * comes.
     */
    private void mend(Connection connection, JournalHead head) throws SQLException {
        LOG.warn(
                "The clock of the database was {} ahead when messages were appended to a journal: they now count as new",
                Duration.of(head.at() - clock.later(), ChronoUnit.MICROS));
        try (PreparedStatement segments = connection.prepareStatement(journals.tables.fill(MEND_SEGMENTS));
                PreparedStatement heads = connection.prepareStatement(journals.tables.fill(MEND_HEAD))) {
            segments.setLong(1, clock.later());
            segments.setInt(2, head.key().consumer());
            segments.setLong(3, head.key().place());
            segments.setLong(4, head.goneVersion());
            segments.setLong(5, clock.later());
            segments.executeUpdate();
            heads.setLong(1, clock.later());
            heads.setInt(2, head.key().consumer());
            heads.setLong(3, head.key().place());
            heads.executeUpdate();
        }
        new ArchiveChanges(journals.tables).mend(connection, head.key(), clock.later());
    }

    private static final String OLD = """
            select version, last_offset, octet_length(ids) from ${tables}segment
            where consumer = ? and place = ? and version > ? and at_micros < ? order by version
            fetch first ${limit} rows only
            """;

    private Old old(Connection connection, JournalHead head, long before, int limit) throws SQLException {
        String query = journals.tables.fill(OLD).replace("${limit}", String.valueOf(limit));
        Old old = new Old(head.goneVersion(), head.horizonOffset(), 0);
        try (PreparedStatement statement = connection.prepareStatement(query)) {
            statement.setInt(1, head.key().consumer());
            statement.setLong(2, head.key().place());
            statement.setLong(3, head.goneVersion());
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
            statement.setLong(3, head.goneVersion());
            statement.setLong(4, old.version());
            statement.executeUpdate();
        }
    }

    private static final String FIRST_OFFSET = """
            select first_offset from ${tables}segment where consumer = ? and place = ? and version > ? and first_offset > ?
            order by version fetch first 1 rows only
            """;

    /** Returns where the remaining messages begin, without those of replays, whose offsets are older. */
    private long firstOffset(Connection connection, JournalHead head, Old old) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(journals.tables.fill(FIRST_OFFSET))) {
            statement.setInt(1, head.key().consumer());
            statement.setLong(2, head.key().place());
            statement.setLong(3, old.version());
            statement.setLong(4, old.offset());
            try (ResultSet result = statement.executeQuery()) {
                return result.next() ? result.getLong(1) : 0;
            }
        }
    }

    private static final String RAISE = """
            update ${tables}journal set version = ?, token = ?, at_micros = ?, horizon_version = ?, horizon_offset = ?
            where consumer = ? and place = ?
            """;

    private void raiseHorizon(Connection connection, JournalHead head) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(journals.tables.fill(RAISE))) {
            statement.setLong(1, head.version());
            statement.setLong(2, head.token());
            statement.setLong(3, head.at());
            statement.setLong(4, head.horizonVersion());
            statement.setLong(5, head.horizonOffset());
            statement.setInt(6, head.key().consumer());
            statement.setLong(7, head.key().place());
            statement.executeUpdate();
        }
    }
}
