package io.idempotency.samples.services;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Stops nodes at a write to a table. A lock lets them read the table and lock its rows, but not change them. A relay that waits in a deletion from its
 * outbox has sent its messages and has not marked them. So a node can be killed at the worst moment without any code in it for that.
 */
final class Trap implements AutoCloseable {

    private static final Duration TRY = Duration.ofSeconds(2);
    private static final int LOOK_EVERY_MILLIS = 10;

    private final Databases databases;
    private final String database;
    private final String table;
    private final Connection connection;

    private Trap(Databases databases, String database, String table, Connection connection) {
        this.databases = databases;
        this.database = database;
        this.table = table;
        this.connection = connection;
    }

    static Trap on(Databases databases, String database, String table) throws SQLException {
        Connection connection = databases.dataSource(database).getConnection();
        connection.setAutoCommit(false);
        try (Statement lock = connection.createStatement()) {
            lock.execute("lock table " + table + " in share mode");
        }
        return new Trap(databases, database, table, connection);
    }

    /**
     * Waits for a limited time until a node waits in a statement that begins like this, and returns its name. Does not wait for a deletion from an
     * empty table, because nothing enters it any more.
     */
    Optional<String> caught(String statement) throws SQLException, InterruptedException {
        if (statement.startsWith("delete") && databases.count(database, table) == 0) {
            return Optional.empty();
        }
        long end = System.nanoTime() + TRY.toNanos();
        while (System.nanoTime() < end) {
            List<String> waiting = databases.query(
                    database,
                    "select application_name from pg_stat_activity where datname = '" + database
                            + "' and wait_event_type = 'Lock' and query like '" + statement + "%'",
                    row -> row.getString(1));
            if (!waiting.isEmpty()) {
                return Optional.of(waiting.get(0));
            }
            TimeUnit.MILLISECONDS.sleep(LOOK_EVERY_MILLIS);
        }
        return Optional.empty();
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
