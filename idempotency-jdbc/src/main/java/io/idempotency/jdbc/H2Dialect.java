package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The statements for H2. Its batches continue after a duplicate key, so one statement inserts all messages. It uses an index for a list of keys only if
 * the key is the first column, so the primary key begins with it. Its clock does not move within a transaction. Releasing a savepoint never fails,
 * so the proof compares the transaction id.
 */
final class H2Dialect extends InsertFirstDialect {

    private static final long PAUSE_NANOS = 5_000_000;
    private static final int ROW_IS_LOCKED = 50200;
    private static final String NOWAIT = " nowait";

    H2Dialect(Tables tables, Duration claimTimeout) {
        super(tables, claimTimeout);
    }

    @Override
    public void prepareProof(Connection connection, Evidence evidence) {
        // The insert itself returns the id of the transaction.
    }

    @Override
    boolean isAnother(Connection connection, Evidence evidence) throws SQLException {
        return !evidence.transactions().isEmpty()
                && !evidence.transactions().equals(Collections.singleton(transactionId(connection)));
    }

    @Override
    public List<MessageRow> claim(Connection connection, List<MessageArrival> arrivals, Evidence evidence)
            throws SQLException {
        List<MessageRow> rows = super.claim(connection, arrivals, evidence);
        evidence.add(transactionId(connection));
        return rows;
    }

    @Override
    public List<MessageRow> insert(
            Connection connection, List<MessageArrival> arrivals, MessageState state, long aheadMicros)
            throws SQLException {
        int before = setLockTimeout(connection, (int) claimTimeout.toMillis());
        try {
            return super.insert(connection, arrivals, state, aheadMicros);
        } finally {
            setLockTimeout(connection, before);
        }
    }

    @Override
    public List<MessageRow> takeOver(Connection connection, List<MessageArrival> arrivals, Evidence evidence)
            throws SQLException {
        List<MessageRow> rows = super.takeOver(connection, arrivals, evidence);
        evidence.add(transactionId(connection));
        return rows;
    }

    @Override
    public List<MessageRow> lock(Connection connection, List<MessageKey> keys) throws SQLException {
        return trying(() -> read(connection, keys, FOR_UPDATE + NOWAIT));
    }

    @Override
    <T> T locking(Connection connection, String sql, Query<T> query) throws SQLException {
        return trying(() -> {
            try (PreparedStatement statement = connection.prepareStatement(sql + FOR_UPDATE + NOWAIT)) {
                return query.run(statement);
            }
        });
    }

    @Override
    <T> T waiting(Connection connection, String sql, Query<T> query) throws SQLException {
        int before = setLockTimeout(connection, (int) claimTimeout.toMillis());
        try {
            return super.waiting(connection, sql, query);
        } finally {
            setLockTimeout(connection, before);
        }
    }

    @Override
    public int change(Connection connection, Evidence evidence, String sql, Parameters parameters) throws SQLException {
        return super.update(connection, sql, parameters);
    }

    @Override
    public int update(Connection connection, String sql, Parameters parameters) throws SQLException {
        int before = setLockTimeout(connection, (int) claimTimeout.toMillis());
        try {
            return super.update(connection, sql, parameters);
        } finally {
            setLockTimeout(connection, before);
        }
    }

    /** A statement that may be retried. */
    @FunctionalInterface
    private interface Trial<T> {
        T run() throws SQLException;
    }

    /**
     * Retries until the claim timeout is over. Otherwise H2 waits in a busy loop, without end and whatever the lock timeout, for a transaction in
     * which a statement has failed (seen on 2.4.240).
     */
    private <T> T trying(Trial<T> trial) throws SQLException {
        long began = System.nanoTime();
        while (true) {
            try {
                return trial.run();
            } catch (SQLException e) {
                // 40001: the row was changed after this transaction's snapshot. Waiting does not help.
                if (e.getErrorCode() != ROW_IS_LOCKED
                        || System.nanoTime() - began > claimTimeout.toNanos()
                        || Thread.currentThread().isInterrupted()) {
                    throw e;
                }
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
    }

    @Override
    @Nullable
    String runningTransaction(Connection connection) throws SQLException {
        return transactionId(connection);
    }

    @Override
    public boolean insertName(Connection connection, int number, String name) throws SQLException {
        int before = setLockTimeout(connection, (int) claimTimeout.toMillis());
        try {
            return super.insertName(connection, number, name);
        } finally {
            setLockTimeout(connection, before);
        }
    }

    private static final String INSERT = """
            insert into ${tables}message (at_micros, record_offset, place, consumer, state, message_id)
            select ?, a.record_offset, a.place, a.consumer, ?, a.message_id
            from unnest(cast(? as bigint array), cast(? as bigint array), cast(? as integer array),
                cast(? as uuid array)) as a (record_offset, place, consumer, message_id)
            order by a.consumer, a.message_id
            """;

    @Override
    List<MessageRow> insertAbsent(
            Connection connection, List<MessageArrival> absent, MessageState state, long aheadMicros)
            throws SQLException {
        long now = now(connection);
        try (PreparedStatement statement = connection.prepareStatement(filled(INSERT))) {
            statement.setLong(1, now + aheadMicros);
            statement.setInt(2, state.packed());
            statement.setObject(3, absent.stream().map(MessageArrival::offset).toArray());
            statement.setObject(4, absent.stream().map(MessageArrival::place).toArray());
            statement.setObject(5, absent.stream().map(a -> a.key().consumer()).toArray());
            statement.setObject(6, absent.stream().map(a -> a.key().id()).toArray());
            statement.executeUpdate();
        }
        return absent.stream()
                .map(arrival -> new MessageRow(
                        arrival.key(), now + aheadMicros, state, arrival.offset(), arrival.place(), now, true))
                .toList();
    }

    @Override
    public long now(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("select " + clock());
                ResultSet result = statement.executeQuery()) {
            result.next();
            return result.getLong(1);
        }
    }

    /** {@inheritDoc} Unlike {@code datediff}, it does not depend on the session's time zone (seen on 2.4.240). */
    @Override
    public String clock() {
        return "cast(extract(epoch from current_timestamp) * 1000000 as bigint)";
    }

    @Override
    void bound(PreparedStatement statement) {
        // The lock timeout does.
    }

    @Override
    public Object id(UUID id) {
        return id;
    }

    private static @Nullable String transactionId(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("select transaction_id()");
                ResultSet result = statement.executeQuery()) {
            return result.next() ? result.getString(1) : null;
        }
    }

    /** Sets the session's lock timeout, which no rollback restores, and returns the former one. */
    private static int setLockTimeout(Connection connection, int millis) throws SQLException {
        int before;
        try (PreparedStatement statement = connection.prepareStatement("select lock_timeout()");
                ResultSet result = statement.executeQuery()) {
            result.next();
            before = result.getInt(1);
        }
        try (PreparedStatement statement = connection.prepareStatement("set lock_timeout " + millis)) {
            statement.execute();
        }
        return before;
    }
}
