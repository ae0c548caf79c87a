package io.idempotency.jdbc;

import io.idempotency.store.SettledRun;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;

/** The statements about settled runs. Immutable and thread-safe. */
final class SettledRows {

    private final Tables tables;

    SettledRows(Tables tables) {
        this.tables = tables;
    }

    private static final String UPDATE = """
            update ${tables}settled set at_micros = ${clock}, first_offset = ?, next_offset = ?, leader_epoch = ?, token = ?, topic_id = ?
            where consumer = ? and place = ? and token = ?
            """;

    private static final String INSERT = """
            insert into ${tables}settled (at_micros, first_offset, next_offset, leader_epoch, token, topic_id, consumer, place)
            values (${clock}, ?, ?, ?, ?, ?, ?, ?)
            """;

    private static final String EXISTS = "select 1 from ${tables}settled where consumer = ? and place = ?";

    /** Stores a run with a new token. Returns whether the stored one had its token. */
    boolean put(Connection connection, Dialect dialect, int consumer, long place, SettledRun run, long token)
            throws SQLException {
        if (run.token() != 0) {
            return write(connection, dialect, UPDATE, consumer, place, run, token) > 0;
        }
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(EXISTS))) {
            statement.setInt(1, consumer);
            statement.setLong(2, place);
            try (var row = statement.executeQuery()) {
                if (row.next()) {
                    return false;
                }
            }
        }
        return write(connection, dialect, INSERT, consumer, place, run, token) > 0;
    }

    private int write(
            Connection connection, Dialect dialect, String sql, int consumer, long place, SettledRun run, long token)
            throws SQLException {
        String filled = tables.fill(sql.replace("${clock}", dialect.stamp(connection)));
        try (PreparedStatement statement = connection.prepareStatement(filled)) {
            statement.setLong(1, run.begin());
            statement.setLong(2, run.end());
            statement.setInt(3, run.leaderEpoch());
            statement.setLong(4, token);
            statement.setString(5, run.topicId());
            statement.setInt(6, consumer);
            statement.setLong(7, place);
            if (sql.equals(UPDATE)) {
                statement.setLong(8, run.token());
            }
            return statement.executeUpdate();
        }
    }

    private static final String FORGET = "delete from ${tables}settled where consumer = ?";

    /** Forgets what is settled for a consumer of which messages are forgotten: one of them may lie before what is settled. */
    void forget(Connection connection, int consumer) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(FORGET))) {
            statement.setInt(1, consumer);
            statement.executeUpdate();
        }
    }
}
