package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Objects;

/**
 * Bounds the wait of queries on PostgreSQL. One statement before the query sets the lock timeout, and one after it restores the former value, because a
 * query locks its tables before it evaluates any part of itself. The driver sends all three at once. If the query fails, its rollback restores the timeout, too.
 */
final class PostgresWaiting extends Waiting {

    private static final String BEFORE = """
            select set_config('idempotency.lock_timeout', current_setting('lock_timeout'), true),
                set_config('lock_timeout', '${timeout}ms', true);
            """;

    /** Restores the former value. */
    static final String RESTORED = "set_config('lock_timeout', current_setting('idempotency.lock_timeout'), true)";

    /** In auto-commit mode, with {@code preferQueryMode=simple}, each statement is a transaction of its own, and the former value is gone. */
    private static final String RESTORED_IF_KEPT = """
            set_config('lock_timeout',
                coalesce(nullif(current_setting('idempotency.lock_timeout', true), ''), current_setting('lock_timeout')), true)""";

    PostgresWaiting(Duration timeout) {
        super(BEFORE.replace("${timeout}", String.valueOf(Math.max(1, timeout.toMillis()))));
    }

    @Override
    String bounded(String query) {
        return restoring(query) + "; select " + RESTORED_IF_KEPT;
    }

    /** Returns a query that restores the former value itself, by {@link #RESTORED}. */
    String restoring(String query) {
        return super.bounded(query);
    }

    /** Returns a query that also marks the transaction. The mark is the last parameter. */
    String marking(String query) {
        return bounded(query) + ", " + PostgresProof.MARK;
    }

    /** Runs an update that waits for rows and tables at most the claim timeout. Returns how many rows it found. */
    int update(Connection connection, String sql, Dialect.Parameters parameters) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(bounded(sql))) {
            parameters.set(statement);
            statement.execute();
            statement.getMoreResults();
            return statement.getUpdateCount();
        }
    }

    @Override
    ResultSet run(PreparedStatement statement) throws SQLException {
        statement.execute();
        statement.getMoreResults();
        return Objects.requireNonNull(statement.getResultSet());
    }
}
