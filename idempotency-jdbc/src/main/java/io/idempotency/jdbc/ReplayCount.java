package io.idempotency.jdbc;

import io.idempotency.replay.Replay.Status;
import io.idempotency.replay.ReplayResult;
import io.idempotency.store.QuarantineFailure;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;

/** Counts the result of one message of a replay, and stops the replay after too many equal failures in a row. Used by one transaction. */
final class ReplayCount {

    private final Connection connection;
    private final Dialect dialect;
    private final Tables tables;
    private final String id;

    ReplayCount(Connection connection, Dialect dialect, Tables tables, String id) {
        this.connection = connection;
        this.dialect = dialect;
        this.tables = tables;
        this.id = id;
    }

    private static final String COUNT = "update ${tables}replay set ${column} = ${column} + 1 where id = ?";

    private static final String COUNT_SUCCESS =
            "update ${tables}replay set processed = processed + 1, failures_in_row = 0, failing_group = null where id = ?";

    /** MariaDB assigns from left to right, and a later column sees the earlier ones. */
    private static final String COUNT_FAILURE = """
            update ${tables}replay set ${column} = ${column} + 1,
                failures_in_row = case when failing_group = ? then failures_in_row + 1 else 1 end, failing_group = ?
            where id = ?
            """;

    void count(ReplayResult result, Optional<QuarantineFailure> failure) throws SQLException {
        if (failure.isPresent() && result != ReplayResult.PROCESSED) {
            String group = failure.get().group();
            dialect.update(connection, sql(COUNT_FAILURE, result), statement -> {
                statement.setString(1, group);
                statement.setString(2, group);
                statement.setString(3, id);
            });
            stopAfter(failure.get());
        } else {
            String sql = result == ReplayResult.PROCESSED ? COUNT_SUCCESS : COUNT;
            dialect.update(connection, sql(sql, result), statement -> statement.setString(1, id));
        }
    }

    private String sql(String sql, ReplayResult result) {
        String column = switch (result) {
            case PROCESSED -> "processed";
            case DUPLICATE -> "duplicates";
            case FAILED -> "failed";
            case UNREADABLE -> "unreadable";
        };
        return tables.fill(sql).replace("${column}", column);
    }

    private static final String ROW_OF_FAILURES =
            "select failures_in_row, stop_after from ${tables}replay where id = ?";

    private void stopAfter(QuarantineFailure failure) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(ROW_OF_FAILURES))) {
            statement.setString(1, id);
            try (ResultSet row = statement.executeQuery()) {
                if (row.next() && row.getInt(1) >= row.getInt(2)) {
                    new ReplayRows(tables)
                            .end(connection, dialect, id, Status.STOPPED, stopped(row.getInt(1), failure));
                }
            }
        }
    }

    private static String stopped(int failures, QuarantineFailure failure) {
        return failures + " equal failures in a row: " + QuarantineRows.type(failure.type()) + ", group "
                + failure.group() + ". Remove their cause, and request a replay of the messages that are left";
    }
}
