package io.idempotency.jdbc;

import io.idempotency.store.StoredId;
import io.idempotency.store.TransactionLostException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.Savepoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Collectors;

/**
 * Standard statements for any database: reads the rows that exist, inserts the others, and relies on the primary key. A duplicate key means that another
 * transaction was faster; then this one fails transiently.
 */
class PlainDialect implements MessageDialect {

    private static final int MOST_KEYS = 512;

    /** The savepoint before the first claim of a transaction. An early commit removes it. */
    static final String SAVEPOINT = "idempotency";

    final Tables tables;
    final Duration claimTimeout;
    private final PlainSyntax syntax;

    PlainDialect(Tables tables, Duration claimTimeout, PlainSyntax syntax) {
        this.tables = tables;
        this.claimTimeout = claimTimeout;
        this.syntax = syntax;
    }

    @Override
    public void prepareProof(Connection connection, Evidence evidence) throws SQLException {
        if (evidence.isOfOurTransaction() && evidence.savepoint() == null) {
            evidence.savepoint(connection.setSavepoint(SAVEPOINT));
        }
    }

    /** {@inheritDoc} An update makes every claim final, and counts the rows that exist. */
    @Override
    public void prove(Connection connection, ActiveTransaction active, Remains remains) throws SQLException {
        Evidence evidence = active.evidence();
        if (isAnother(connection, evidence)) {
            evidence.isAnother();
        }
        requireTransaction(connection, evidence);
        if (!remains.settle(connection)) {
            throw TransactionLostException.rolledBack(Evidence.NOT_THE_SAME);
        }
        if (evidence.isOfAnother()) {
            active.evidence().committedEarly();
        }
    }

    /** Begins a transaction if somebody has switched to auto-commit, so that the rest is committed in one piece. */
    static void requireTransaction(Connection connection, Evidence evidence) throws SQLException {
        if (connection.getAutoCommit()) {
            connection.setAutoCommit(false);
            evidence.isAnother();
        }
    }

    /** Returns whether the running transaction is known not to be the one of the claims: the savepoint is gone. */
    boolean isAnother(Connection connection, Evidence evidence) throws SQLException {
        Savepoint savepoint = evidence.savepoint();
        evidence.savepoint(null);
        if (savepoint == null) {
            return false;
        }
        try {
            connection.releaseSavepoint(savepoint);
            return false;
        } catch (SQLFeatureNotSupportedException e) {
            return false;
        } catch (SQLException e) {
            if (TransientFailures.isTransient(e)) {
                throw e;
            }
            return true;
        }
    }

    @Override
    public int change(Connection connection, Evidence evidence, String sql, Parameters parameters) throws SQLException {
        return update(connection, sql, parameters);
    }

    @Override
    public int update(Connection connection, String sql, Parameters parameters) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(beforeWaiting() + sql)) {
            bound(statement);
            parameters.set(statement);
            return statement.executeUpdate();
        }
    }

    @Override
    public List<MessageRow> insert(
            Connection connection, List<MessageArrival> arrivals, MessageState state, long aheadMicros)
            throws SQLException {
        List<MessageRow> rows = new ArrayList<>(read(connection, keys(arrivals), ""));
        Set<MessageKey> known = rows.stream().map(MessageRow::key).collect(Collectors.toSet());
        List<MessageArrival> absent = arrivals.stream()
                .filter(arrival -> !known.contains(arrival.key()))
                .toList();
        if (!absent.isEmpty()) {
            try {
                rows.addAll(insertAbsent(connection, absent, state, aheadMicros));
            } catch (SQLException e) {
                if (SqlFailures.isDuplicateKey(e)) {
                    throw SqlFailures.faster(e);
                }
                throw e;
            }
        }
        return rows;
    }

    private static final String NOW = "select ${clock} from ${tables}name where id = 0";

    List<MessageRow> insertAbsent(
            Connection connection, List<MessageArrival> absent, MessageState state, long aheadMicros)
            throws SQLException {
        long now = now(connection);
        List<MessageRow> rows = new ArrayList<>();
        for (MessageArrival arrival : absent) {
            rows.add(new MessageRow(
                    arrival.key(), now + aheadMicros, state, arrival.offset(), arrival.place(), now, true));
        }
        new MessageInsert(connection, this).run(rows, syntax.rowsAtOnce());
        return rows;
    }

    @Override
    public long now(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(filled(NOW));
                ResultSet result = statement.executeQuery()) {
            if (!result.next()) {
                throw new SQLException("The row with id 0 is missing in " + tables.name(), "42S02");
            }
            return StoredTime.micros(result, 1);
        }
    }

    @Override
    public List<MessageRow> takeOver(Connection connection, List<MessageArrival> arrivals, Evidence evidence)
            throws SQLException {
        List<MessageRow> rows = new ArrayList<>(read(connection, keys(arrivals), ""));
        List<MessageKey> free =
                rows.stream().filter(MessageRow::isFree).map(MessageRow::key).toList();
        if (free.isEmpty()) {
            return rows;
        }
        Map<MessageKey, MessageArrival> byKey = new TreeMap<>();
        arrivals.forEach(arrival -> byKey.put(arrival.key(), arrival));
        List<MessageRow> taken = new ArrayList<>();
        for (MessageRow row : lock(connection, free)) {
            MessageArrival arrival = byKey.get(row.key());
            if (row.isFree() && arrival != null) {
                MessageState state = row.state();
                taken.add(row.granted(arrival, MessageState.unproved(state.attempt() + 1, state.starts()), row.now()));
            }
        }
        MessageUpdate.run(connection, this, tables, taken);
        rows.removeIf(row -> free.contains(row.key()));
        rows.addAll(taken);
        return rows;
    }

    @Override
    public List<MessageRow> lock(Connection connection, List<MessageKey> keys) throws SQLException {
        MessageUpdate.lock(connection, this, keys);
        return read(connection, keys, "");
    }

    private static final String READ = """
            select message_id, at_micros, state, record_offset, place, ${clock} from ${tables}message
            where consumer = ? and message_id in (${ids}) order by message_id ${suffix}
            """;

    /** Returns the rows that exist. The suffix says how they are locked. */
    final List<MessageRow> read(Connection connection, Collection<MessageKey> keys, String suffix) throws SQLException {
        List<MessageRow> rows = new ArrayList<>();
        Map<Integer, List<UUID>> ids = new TreeMap<>();
        keys.forEach(key -> ids.computeIfAbsent(key.consumer(), consumer -> new ArrayList<>())
                .add(key.id()));
        for (Map.Entry<Integer, List<UUID>> each : ids.entrySet()) {
            List<UUID> all = each.getValue();
            for (int from = 0; from < all.size(); from += MOST_KEYS) {
                List<UUID> some = all.subList(from, Math.min(all.size(), from + MOST_KEYS));
                readSome(connection, each.getKey(), some, suffix, rows);
            }
        }
        return rows;
    }

    private void readSome(Connection connection, int consumer, List<UUID> ids, String suffix, List<MessageRow> rows)
            throws SQLException {
        int length = parametersFor(ids.size());
        String sql = filled(READ).replace("${ids}", parameters(ids.size())).replace("${suffix}", suffix);
        try (PreparedStatement statement = connection.prepareStatement(beforeWaiting() + sql)) {
            bound(statement);
            statement.setInt(1, consumer);
            for (int i = 0; i < length; i++) {
                statement.setObject(i + 2, id(ids.get(Math.min(i, ids.size() - 1))));
            }
            try (ResultSet result = statement.executeQuery()) {
                while (result.next()) {
                    rows.add(new MessageRow(
                            new MessageKey(consumer, StoredId.fromBytes(result.getBytes(1))),
                            result.getLong(2),
                            MessageState.of(result.getInt(3)),
                            result.getLong(4),
                            result.getLong(5),
                            StoredTime.micros(result, 6),
                            false));
                }
            }
        }
    }

    /** Returns the number of keys of the statement for so many keys. There are only a few lengths, so that the database sees the same texts again. */
    static int parametersFor(int keys) {
        return Math.max(1, Integer.highestOneBit(keys * 2 - 1));
    }

    /** Returns the parameters of a statement for so many keys. The last key also fills the parameters that are left over. */
    static String parameters(int keys) {
        return "?, ".repeat(parametersFor(keys) - 1) + "?";
    }

    /** Bounds the wait of a statement, if the database has no better way. */
    void bound(PreparedStatement statement) throws SQLException {
        statement.setQueryTimeout((int) Math.max(1, claimTimeout.toSeconds()));
    }

    @Override
    public Inserted adopt(Connection connection, List<MessageRow> rows) throws SQLException {
        return new PlainAdoption(this, connection).run(rows, syntax.rowsAtOnce());
    }

    @Override
    public boolean insertName(Connection connection, int number, String name) throws SQLException {
        return StoredName.insert(connection, this, number, name);
    }

    @Override
    public Purged purge(Connection connection, int consumer, long before, int limit) throws SQLException {
        return new PlainPurge(this, connection, consumer).purge(before, limit);
    }

    /** Returns the clause that locks the rows of a query and skips rows that others have locked. */
    String skipLocked() {
        return "";
    }

    @Override
    public String clock() {
        return syntax.clock();
    }

    @Override
    public String stamp(Connection connection) throws SQLException {
        return String.valueOf(now(connection));
    }

    @Override
    public String first(int rows) {
        return syntax.first(rows);
    }

    @Override
    public Object id(UUID id) {
        return StoredId.toBytes(id);
    }

    final String filled(String sql) {
        return tables.fill(sql.replace("${clock}", clock()));
    }

    static List<MessageKey> keys(List<MessageArrival> arrivals) {
        return arrivals.stream().map(MessageArrival::key).toList();
    }
}
