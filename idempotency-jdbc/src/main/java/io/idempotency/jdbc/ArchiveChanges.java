package io.idempotency.jdbc;

import io.idempotency.jdbc.ArchiveHead.Span;
import io.idempotency.jdbc.ArchiveHead.State;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;

/** The statements that change archives. They are the same for every database. */
final class ArchiveChanges {

    private final Tables tables;

    ArchiveChanges(Tables tables) {
        this.tables = tables;
    }

    private static final String INSERT = """
            insert into ${tables}archive
                (consumer, place, archive, state, renewed_micros, seed, first_version, last_version, first_micros, last_micros, first_offset, last_offset,
                front_offset, messages, quarantined)
            values (?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0, 0, -1, 0, 0)
            """;

    void insert(Connection connection, ArchiveHead head, long now) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(INSERT))) {
            ArchiveRows.setKey(statement, head);
            statement.setInt(4, head.state().number());
            statement.setLong(5, now);
            statement.setLong(6, head.seed());
            statement.executeUpdate();
        }
    }

    private static final String RENEW =
            "update ${tables}archive set renewed_micros = ? where consumer = ? and place = ? and archive = ? and state = ?";

    /** Tells that somebody works on an archive, and locks its header. Returns whether it is still in the state. */
    boolean renew(Connection connection, ArchiveHead head, State state, long now) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(RENEW))) {
            statement.setLong(1, now);
            statement.setInt(2, head.key().consumer());
            statement.setLong(3, head.key().place());
            statement.setLong(4, head.number());
            statement.setInt(5, state.number());
            return statement.executeUpdate() == 1;
        }
    }

    private static final String CHANGE =
            "update ${tables}archive set state = ? where consumer = ? and place = ? and archive = ? and state = ?";

    /** Changes the state of an archive. Returns whether it was in the first state. */
    boolean change(Connection connection, ArchiveHead head, State from, State to) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(CHANGE))) {
            statement.setInt(1, to.number());
            statement.setInt(2, head.key().consumer());
            statement.setLong(3, head.key().place());
            statement.setLong(4, head.number());
            statement.setInt(5, from.number());
            return statement.executeUpdate() == 1;
        }
    }

    private static final String EXPIRE = "update ${tables}archive set state = ? where state = ? and renewed_micros < ?";

    /** Declares the archives dead that nobody has worked on since a time. */
    void expire(Connection connection, long since) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(EXPIRE))) {
            statement.setInt(1, State.DEAD.number());
            statement.setInt(2, State.BUILDING.number());
            statement.setLong(3, since);
            statement.executeUpdate();
        }
    }

    private static final String COMPLETE = """
            update ${tables}archive set state = ?, first_version = ?, last_version = ?, first_micros = ?, last_micros = ?, first_offset = ?, last_offset = ?,
                front_offset = ?, messages = ?, quarantined = ?
            where consumer = ? and place = ? and archive = ? and state = ?
            """;

    /** Makes an archive active that was being built. Returns whether it was. */
    boolean complete(Connection connection, ArchiveHead head) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(COMPLETE))) {
            Span span = head.span();
            statement.setInt(1, State.ACTIVE.number());
            statement.setLong(2, span.firstVersion());
            statement.setLong(3, span.lastVersion());
            statement.setLong(4, span.firstAt());
            statement.setLong(5, span.lastAt());
            statement.setLong(6, span.firstOffset());
            statement.setLong(7, span.lastOffset());
            statement.setLong(8, span.frontOffset());
            statement.setLong(9, head.messages());
            statement.setLong(10, head.quarantined());
            statement.setInt(11, head.key().consumer());
            statement.setLong(12, head.key().place());
            statement.setLong(13, head.number());
            statement.setInt(14, State.BUILDING.number());
            return statement.executeUpdate() == 1;
        }
    }

    private static final String MEND = """
            update ${tables}archive set first_micros = case when first_micros > ? then ? else first_micros end, last_micros = ?
            where consumer = ? and place = ? and state = ? and last_micros > ?
            """;

    /** Corrects the times of active archives that lie behind the given one. */
    void mend(Connection connection, JournalKey key, long latest) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(MEND))) {
            statement.setLong(1, latest);
            statement.setLong(2, latest);
            statement.setLong(3, latest);
            statement.setInt(4, key.consumer());
            statement.setLong(5, key.place());
            statement.setInt(6, State.ACTIVE.number());
            statement.setLong(7, latest);
            statement.executeUpdate();
        }
    }

    private static final String INSERT_PAGE = """
            insert into ${tables}archive_page (consumer, place, archive, first_hash, ids, offsets, times, kinds)
            values (?, ?, ?, ?, ?, ?, ?, ?)
            """;

    void insert(Connection connection, ArchiveHead head, List<ArchivePage> pages) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(INSERT_PAGE))) {
            for (ArchivePage page : pages) {
                ArchiveRows.setKey(statement, head);
                statement.setLong(4, page.firstHash());
                statement.setBytes(5, page.ids());
                statement.setBytes(6, page.offsets());
                statement.setBytes(7, page.times());
                statement.setBytes(8, page.kinds());
                statement.addBatch();
            }
            statement.executeBatch();
        }
    }

    private static final String INSERT_FILTER = """
            insert into ${tables}archive_filter (consumer, place, archive, first_hash, hashes, quarantined, filter_bits)
            values (?, ?, ?, ?, ?, ?, ?)
            """;

    void insert(Connection connection, ArchiveHead head, ArchiveFilter filter) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(INSERT_FILTER))) {
            ArchiveRows.setKey(statement, head);
            statement.setLong(4, filter.firstHash());
            statement.setBytes(5, filter.packedHashes());
            statement.setBytes(6, filter.quarantined());
            statement.setBytes(7, filter.filter().packed());
            statement.executeUpdate();
        }
    }
}
