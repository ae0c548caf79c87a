package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The statements of journals that are the same for every database. */
abstract class Journals implements JournalDialect {

    private static final int ROWS_AT_A_TIME = 200;

    final Tables tables;
    private final Dialect dialect;

    Journals(Tables tables, Dialect dialect) {
        this.tables = tables;
        this.dialect = dialect;
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
            select consumer, place, version, token, at_micros, horizon_version, horizon_offset, partitions
            from ${tables}journal where ${keys} order by consumer, place
            """;

    /** Returns the query for heads, with two parameters for each. */
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

    static List<Head> readHeads(PreparedStatement statement) throws SQLException {
        List<Head> heads = new ArrayList<>();
        try (ResultSet result = statement.executeQuery()) {
            while (result.next()) {
                heads.add(readHead(result));
            }
        }
        return heads;
    }

    static Head readHead(ResultSet result) throws SQLException {
        return new Head(
                new JournalKey(result.getInt(1), result.getLong(2)),
                result.getLong(3),
                result.getLong(4),
                result.getLong(5),
                result.getLong(6),
                result.getLong(7),
                result.getInt(8));
    }

    @Override
    public List<Head> heads(Connection connection, Collection<JournalKey> keys, boolean isLocking) throws SQLException {
        if (isLocking) {
            return lock(connection, keys);
        }
        try (PreparedStatement statement = connection.prepareStatement(queryHeads(keys.size()))) {
            setKeys(statement, keys);
            return readHeads(statement);
        }
    }

    /** Returns the heads, locked in the order of their keys. */
    abstract List<Head> lock(Connection connection, Collection<JournalKey> keys) throws SQLException;

    private static final String READ = """
            select version, token, at_micros, first_offset, kind, gaps, ids from ${tables}segment
            where consumer = ? and place = ? and version between ? and ? order by version
            """;

    @Override
    public void read(
            Connection connection, JournalKey key, long from, long to, boolean isLocked, Consumer<Segment> each)
            throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement(tables.fill(READ) + (isLocked ? currentRead() : ""))) {
            statement.setFetchSize(ROWS_AT_A_TIME);
            statement.setInt(1, key.consumer());
            statement.setLong(2, key.place());
            statement.setLong(3, from);
            statement.setLong(4, to);
            try (ResultSet result = statement.executeQuery()) {
                while (result.next()) {
                    each.accept(Segment.unpacked(
                                    result.getInt(5), result.getLong(4), result.getBytes(7), result.getBytes(6))
                            .at(new Tip(result.getLong(1), result.getLong(2)), result.getLong(3)));
                }
            }
        }
    }

    /** Returns the clause with which a query sees what was committed before a lock was got; none where that goes without saying. */
    String currentRead() {
        return "";
    }

    private static final String INSERT = """
            insert into ${tables}segment
                (consumer, place, version, token, at_micros, first_offset, last_offset, kind, gaps, ids)
            values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """;

    private static final String STEP =
            "update ${tables}journal set version = ?, token = ?, at_micros = ? where consumer = ? and place = ?";

    @Override
    public Appended append(Connection connection, List<Append> appends) throws SQLException {
        List<Head> heads = lock(connection, appends.stream().map(Append::key).toList());
        long now = dialect.now(connection);
        String transactionId = transactionId(connection);
        if (!areFitting(heads, appends)) {
            return new Appended(false, heads, Map.of(), transactionId, now);
        }
        Map<JournalKey, Long> times = new TreeMap<>();
        try (PreparedStatement insert = connection.prepareStatement(tables.fill(INSERT));
                PreparedStatement step = connection.prepareStatement(tables.fill(STEP))) {
            for (int i = 0; i < appends.size(); i++) {
                long at = Math.max(heads.get(i).at(), now);
                times.put(appends.get(i).key(), at);
                add(insert, appends.get(i), at);
                addStep(step, appends.get(i), at);
            }
            insert.executeBatch();
            step.executeBatch();
        }
        return new Appended(true, heads, times, transactionId, now);
    }

    private static boolean areFitting(List<Head> heads, List<Append> appends) {
        if (heads.size() != appends.size()) {
            return false;
        }
        for (int i = 0; i < heads.size(); i++) {
            if (!heads.get(i).isAt(appends.get(i).behind())) {
                return false;
            }
        }
        return true;
    }

    private static void add(PreparedStatement insert, Append append, long at) throws SQLException {
        insert.setInt(1, append.key().consumer());
        insert.setLong(2, append.key().place());
        insert.setLong(3, append.next().version());
        insert.setLong(4, append.next().token());
        insert.setLong(5, at);
        insert.setLong(6, append.content().first());
        insert.setLong(7, append.content().last());
        insert.setInt(8, append.content().kind().number());
        insert.setBytes(9, append.content().packedGaps());
        insert.setBytes(10, append.content().packedIds());
        insert.addBatch();
    }

    private static void addStep(PreparedStatement step, Append append, long at) throws SQLException {
        step.setLong(1, append.next().version());
        step.setLong(2, append.next().token());
        step.setLong(3, at);
        step.setInt(4, append.key().consumer());
        step.setLong(5, append.key().place());
        step.addBatch();
    }

    /** Returns the id of the running transaction, if the proof needs it. */
    @Nullable
    abstract String transactionId(Connection connection) throws SQLException;

    @Override
    public boolean isSame(Connection connection, Evidence evidence, Map<JournalKey, Tip> tips) throws SQLException {
        if (!dialect.isSame(connection, evidence)) {
            return false;
        }
        return tips.isEmpty()
                || heads(connection, tips.keySet(), false).stream()
                                .filter(head -> head.isAt(tips.getOrDefault(head.key(), Tip.NONE)))
                                .count()
                        == tips.size();
    }

    @Override
    public Purged purge(Connection connection, long olderThanMicros, int limit) throws SQLException {
        return new JournalPurge(this).purge(connection, olderThanMicros, limit);
    }

    /** Returns the clause that locks the rows of a query and passes over those that others hold. */
    abstract String skipLocked();
}
