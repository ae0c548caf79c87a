package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;

/** The statements of journals that are the same for every database. */
abstract class Journals implements JournalDialect {

    private static final int ROWS_AT_A_TIME = 200;

    final Tables tables;
    private final Dialect dialect;
    private final Waiting waiting;

    Journals(Tables tables, Dialect dialect) {
        this.tables = tables;
        this.dialect = dialect;
        this.waiting = dialect.waiting();
    }

    /** Returns a 128-bit key as a parameter for this database's driver. */
    final Object id(UUID id) {
        return dialect.id(id);
    }

    private static final String KEYS = "select consumer, place from ${tables}journal where consumer = ? order by place";

    @Override
    public List<JournalKey> keys(Connection connection, int consumer) throws SQLException {
        List<JournalKey> keys = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(KEYS))) {
            statement.setInt(1, consumer);
            try (ResultSet result = statement.executeQuery()) {
                while (result.next()) {
                    keys.add(new JournalKey(result.getInt(1), result.getLong(2)));
                }
            }
        }
        return keys;
    }

    private static final String HEADS = """
            select consumer, place, version, token, at_micros, horizon_version, horizon_offset, partitions,
                archived_version
            from ${tables}journal where ${keys} order by consumer, place
            """;

    /** Returns the query for heads, with two parameters for each key. */
    final String queryHeads(int keys) {
        String one = "(consumer = ? and place = ?)";
        return tables.fill(HEADS).replace("${keys}", one + (" or " + one).repeat(keys - 1));
    }

    static void setKeys(PreparedStatement statement, Collection<JournalKey> keys) throws SQLException {
        int i = 0;
        for (JournalKey key : keys) {
            statement.setInt(++i, key.consumer());
            statement.setLong(++i, key.place());
        }
    }

    /** Reads the heads; the statement closes the result. */
    static List<JournalHead> readHeads(ResultSet result) throws SQLException {
        List<JournalHead> heads = new ArrayList<>();
        while (result.next()) {
            heads.add(readHead(result));
        }
        return heads;
    }

    static JournalHead readHead(ResultSet result) throws SQLException {
        return new JournalHead(
                new JournalKey(result.getInt(1), result.getLong(2)),
                result.getLong(3),
                result.getLong(4),
                result.getLong(5),
                result.getLong(6),
                result.getLong(7),
                result.getInt(8),
                result.getLong(9));
    }

    @Override
    public List<JournalHead> heads(Connection connection, Collection<JournalKey> keys, boolean isLocking)
            throws SQLException {
        if (isLocking) {
            return lock(connection, keys);
        }
        try (PreparedStatement statement = connection.prepareStatement(waiting.bounded(queryHeads(keys.size())))) {
            setKeys(statement, keys);
            return readHeads(waiting.run(statement));
        }
    }

    /** Returns the heads, locked in the order of their keys. */
    abstract List<JournalHead> lock(Connection connection, Collection<JournalKey> keys) throws SQLException;

    /**
     * Makes the appended segments of the transaction final, if all of them exist. Another store on the same tables may have settled some already. After
     * an early commit, others may have skipped the segments. So segments of journals that have grown since are lost, and the other journals get new
     * tokens: windows with the old ones are read again.
     */
    final boolean settle(Connection connection, ActiveTransaction active) throws SQLException {
        List<JournalOverlay> overlays = JournalTransaction.of(active).overlays().values().stream()
                .filter(overlay -> !overlay.isSettled())
                .toList();
        for (JournalSegment.Kind kind : JournalSegment.Kind.values()) {
            List<Stand> stands = new ArrayList<>();
            for (JournalOverlay overlay : overlays) {
                overlay.segments().stream()
                        .filter(segment -> segment.kind() == kind)
                        .forEach(segment -> stands.add(new Stand(overlay.key(), segment.tip())));
            }
            if (!settle(connection, active.evidence(), kind, stands)) {
                return false;
            }
        }
        for (JournalOverlay overlay : overlays) {
            if (active.evidence().isOfAnother() && !retoken(connection, overlay)) {
                return false;
            }
            overlay.settled();
        }
        return true;
    }

    /** A segment that must exist: its journal, and its tip. */
    private record Stand(JournalKey key, JournalTip tip) {}

    private static final String SETTLE = "update ${tables}segment set kind = ? where kind in (?, ?) and (${stands})";

    private boolean settle(Connection connection, Evidence evidence, JournalSegment.Kind kind, List<Stand> stands)
            throws SQLException {
        if (stands.isEmpty()) {
            return true;
        }
        String one = "(consumer = ? and place = ? and version = ? and token = ?)";
        String all = one + (" or " + one).repeat(stands.size() - 1);
        String sql = tables.fill(SETTLE).replace("${stands}", all);
        return stands.size()
                == dialect.change(connection, evidence, sql, statement -> {
                    int i = 0;
                    statement.setInt(++i, kind.number());
                    statement.setInt(++i, JournalSegment.Kind.UNPROVED.number());
                    statement.setInt(++i, kind.number());
                    for (Stand stand : stands) {
                        statement.setInt(++i, stand.key().consumer());
                        statement.setLong(++i, stand.key().place());
                        statement.setLong(++i, stand.tip().version());
                        statement.setLong(++i, stand.tip().token());
                    }
                });
    }

    /** A segment that somebody has archived was left out of the archive, because it was not proved. */
    private static final String RETOKEN_HEAD = """
            update ${tables}journal set token = ?
            where consumer = ? and place = ? and version = ? and token = ? and archived_version <= ?
            """;

    private static final String RETOKEN_SEGMENT = """
            update ${tables}segment set token = ?
            where consumer = ? and place = ? and version = ? and token = ? and version > ?
            """;

    private boolean retoken(Connection connection, JournalOverlay overlay) throws SQLException {
        List<JournalSegment> segments = overlay.segments();
        List<JournalSegment> others =
                segments.stream().map(JournalSegment::withAnotherToken).toList();
        JournalTip tip = others.get(others.size() - 1).tip();
        long before = overlay.base().version();
        boolean isThere = retoken(connection, RETOKEN_HEAD, overlay.key(), before, overlay.tip(), tip);
        for (int i = 0; isThere && i < segments.size(); i++) {
            isThere = retoken(
                    connection,
                    RETOKEN_SEGMENT,
                    overlay.key(),
                    before,
                    segments.get(i).tip(),
                    others.get(i).tip());
        }
        overlay.replace(others);
        return isThere;
    }

    private boolean retoken(
            Connection connection, String sql, JournalKey key, long before, JournalTip from, JournalTip to)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(sql))) {
            statement.setLong(1, to.token());
            statement.setInt(2, key.consumer());
            statement.setLong(3, key.place());
            statement.setLong(4, from.version());
            statement.setLong(5, from.token());
            statement.setLong(6, before);
            return statement.executeUpdate() == 1;
        }
    }

    private static final String COUNT_UNPROVED = """
            select count(*) from ${tables}segment
            where consumer = ? and place = ? and version = ? and token = ? and kind = ?
            """;

    @Override
    public int unproved(Connection connection, ActiveTransaction active) throws SQLException {
        int count = 0;
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(COUNT_UNPROVED))) {
            for (JournalOverlay overlay :
                    JournalTransaction.of(active).overlays().values()) {
                statement.setInt(1, overlay.key().consumer());
                statement.setLong(2, overlay.key().place());
                statement.setLong(3, overlay.tip().version());
                statement.setLong(4, overlay.tip().token());
                statement.setInt(5, JournalSegment.Kind.UNPROVED.number());
                try (ResultSet result = statement.executeQuery()) {
                    count += result.next() ? result.getInt(1) : 0;
                }
            }
        }
        return count;
    }

    private static final String READ = """
            select version, token, at_micros, first_offset, kind, gaps, ids from ${tables}segment
            where consumer = ? and place = ? and version between ? and ? order by version
            """;

    @Override
    public void read(Connection connection, Range range, boolean isLocked, Consumer<JournalSegment> each)
            throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement(waiting.bounded(tables.fill(READ) + (isLocked ? currentRead() : "")))) {
            statement.setFetchSize(ROWS_AT_A_TIME);
            statement.setInt(1, range.key().consumer());
            statement.setLong(2, range.key().place());
            statement.setLong(3, range.from());
            statement.setLong(4, range.to());
            try (ResultSet result = waiting.run(statement)) {
                while (result.next()) {
                    each.accept(JournalSegment.unpacked(
                                    result.getInt(5), result.getLong(4), result.getBytes(7), result.getBytes(6))
                            .at(new JournalTip(result.getLong(1), result.getLong(2)), result.getLong(3)));
                }
            }
        }
    }

    @Override
    public ArchiveRows archives() {
        return new ArchiveRows(tables);
    }

    /** Returns the clause that makes a query see all commits before its lock; empty if the database always does so. */
    String currentRead() {
        return "";
    }

    @Override
    public Purged purge(Connection connection, JournalKey from, long retentionMicros, PurgeClock clock, int limit)
            throws SQLException {
        return new JournalPurge(this, retentionMicros, clock).purge(connection, from, limit);
    }

    /** Returns the clause that locks the rows of a query and skips rows that others have locked. */
    abstract String skipLocked();
}
