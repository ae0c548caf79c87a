package io.idempotency.jdbc;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Objects;

/**
 * Sets the lock timeout in a statement before the query and puts the former value back in one behind it: a query locks its tables before anything in it can be
 * run. The driver sends the three at once. Where the query fails, what it is rolled back with takes the timeout, too.
 */
final class PostgresWaiting extends Waiting {

    private static final String BEFORE = """
            select set_config('idempotency.lock_timeout', current_setting('lock_timeout'), true),
                set_config('lock_timeout', '${timeout}ms', true);
            """;

    /** Puts the former value back. */
    static final String RESTORED = "set_config('lock_timeout', current_setting('idempotency.lock_timeout'), true)";

    PostgresWaiting(Duration timeout) {
        super(BEFORE.replace("${timeout}", String.valueOf(Math.max(1, timeout.toMillis()))));
    }

    @Override
    String bounded(String query) {
        return restoring(query) + "; select " + RESTORED;
    }

    /** Returns a query that puts the former value back itself, by {@link #RESTORED}. */
    String restoring(String query) {
        return super.bounded(query);
    }

    /** Returns the query as one that also marks the transaction. The mark is the last parameter. */
    String marking(String query) {
        return bounded(query) + ", " + PostgresProof.MARK;
    }

    @Override
    ResultSet run(PreparedStatement statement) throws SQLException {
        statement.execute();
        statement.getMoreResults();
        return Objects.requireNonNull(statement.getResultSet());
    }
}
