package io.idempotency.jdbc;

import io.idempotency.store.TransientStoreException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The statements for a database in which a duplicate key undoes only its statement and leaves the transaction alive. All messages are inserted at
 * once. Only if some exist already, they are read and the others inserted.
 *
 * <p>The failed insert waited for other inserts of the same key. It holds at most a shared lock on the row that it met, so two transactions that see the
 * same duplicate do not wait for each other.
 */
abstract class InsertFirstDialect extends PlainDialect {

    /** Each further round means that others inserted more of the same messages after the last read. */
    private static final int MOST_ROUNDS = 5;

    InsertFirstDialect(Tables tables, Duration claimTimeout) {
        super(tables, claimTimeout, PlainSyntax.ANSI);
    }

    @Override
    public List<MessageRow> insert(
            Connection connection, List<MessageArrival> arrivals, MessageState state, long aheadMicros)
            throws SQLException {
        List<MessageRow> rows = new ArrayList<>();
        List<MessageArrival> absent = arrivals;
        for (int round = 0; round < MOST_ROUNDS; round++) {
            try {
                rows.addAll(insertAbsent(connection, absent, state, aheadMicros));
                return rows;
            } catch (SQLException e) {
                if (!SqlFailures.isDuplicateKey(e)) {
                    throw e;
                }
                List<MessageRow> found = read(connection, keys(absent), "");
                if (found.isEmpty()) {
                    throw SqlFailures.faster(e);
                }
                rows.addAll(found);
                Set<MessageKey> known = found.stream().map(MessageRow::key).collect(Collectors.toSet());
                absent = absent.stream()
                        .filter(arrival -> !known.contains(arrival.key()))
                        .toList();
            }
            if (absent.isEmpty()) {
                return rows;
            }
        }
        throw new TransientStoreException("Other transactions keep inserting the same messages; run it again");
    }

    /** A query whose parameters are still to be set. */
    @FunctionalInterface
    interface Query<T> {
        T run(PreparedStatement statement) throws SQLException;
    }

    /** Runs a query and locks its rows, waiting for them at most the claim timeout. */
    <T> T locking(Connection connection, String sql, Query<T> query) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(beforeWaiting() + sql + FOR_UPDATE)) {
            bound(statement);
            return query.run(statement);
        }
    }

    /** Runs a statement that may wait for an insert of the same key, at most the claim timeout. */
    <T> T waiting(Connection connection, String sql, Query<T> query) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(beforeWaiting() + sql)) {
            bound(statement);
            return query.run(statement);
        }
    }

    /** Returns the id of the running transaction, if the proof needs it. */
    @Nullable
    String runningTransaction(Connection connection) throws SQLException {
        return null;
    }

    @Override
    public List<MessageRow> lock(Connection connection, List<MessageKey> keys) throws SQLException {
        return read(connection, keys, FOR_UPDATE);
    }

    @Override
    public String stamp(Connection connection) {
        return clock();
    }

    static final String FOR_UPDATE = "for update";

    @Override
    String skipLocked() {
        return "for update skip locked";
    }
}
