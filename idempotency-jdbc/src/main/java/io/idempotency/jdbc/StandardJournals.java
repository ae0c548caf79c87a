package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The statements for journals on MariaDB and H2: one locks the heads, two more write segments and heads. */
final class StandardJournals extends Journals {

    private final InsertFirstDialect dialect;

    StandardJournals(InsertFirstDialect dialect) {
        super(dialect.tables, dialect);
        this.dialect = dialect;
    }

    @Override
    List<JournalHead> lock(Connection connection, Collection<JournalKey> keys) throws SQLException {
        return dialect.locking(connection, queryHeads(keys.size()), statement -> {
            setKeys(statement, keys);
            return readHeads(statement.executeQuery());
        });
    }

    @Override
    String currentRead() {
        return dialect.currentRead();
    }

    @Override
    String skipLocked() {
        return dialect.skipLocked();
    }

    private static final String CREATE = """
            insert into ${tables}journal
                (consumer, place, version, token, at_micros, horizon_version, horizon_offset, partitions)
            values (?, ?, 0, 0, 0, 0, -1, ?)
            """;

    @Override
    public void create(Connection connection, JournalKey key, int partitions) throws SQLException {
        try {
            dialect.waiting(connection, tables.fill(CREATE), statement -> {
                setKeys(statement, List.of(key));
                statement.setInt(3, partitions);
                return statement.executeUpdate();
            });
        } catch (SQLException e) {
            // Another transaction was faster; the database has undone the statement.
            if (!SqlFailures.isDuplicateKey(e)) {
                throw e;
            }
        }
    }

    private static final String INSERT = """
            insert into ${tables}segment
                (consumer, place, version, token, at_micros, first_offset, last_offset, kind, gaps, ids)
            values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """;

    private static final String STEP =
            "update ${tables}journal set version = ?, token = ?, at_micros = ? where consumer = ? and place = ?";

    @Override
    public Appended append(Connection connection, List<Append> appends, Evidence evidence) throws SQLException {
        dialect.prepareProof(connection, evidence);
        List<JournalHead> heads =
                lock(connection, appends.stream().map(Append::key).toList());
        long now = dialect.now(connection);
        if (!areFitting(heads, appends)) {
            return new Appended(false, heads, Map.of(), now);
        }
        Map<JournalKey, Long> times = new TreeMap<>();
        try (PreparedStatement insert = connection.prepareStatement(dialect.beforeWaiting() + tables.fill(INSERT));
                PreparedStatement step = connection.prepareStatement(dialect.beforeWaiting() + tables.fill(STEP))) {
            for (int i = 0; i < appends.size(); i++) {
                long at = Math.max(heads.get(i).at(), now);
                times.put(appends.get(i).key(), at);
                add(insert, appends.get(i), at);
                addStep(step, appends.get(i), at);
            }
            insert.executeBatch();
            step.executeBatch();
        }
        evidence.add(dialect.runningTransaction(connection));
        return new Appended(true, heads, times, now);
    }

    private static boolean areFitting(List<JournalHead> heads, List<Append> appends) {
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
        insert.setInt(8, JournalSegment.Kind.UNPROVED.number());
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

    @Override
    public void prove(Connection connection, ActiveTransaction active) throws SQLException {
        dialect.prove(connection, active, at -> settle(at, active));
    }
}
