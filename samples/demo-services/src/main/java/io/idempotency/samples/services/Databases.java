package io.idempotency.samples.services;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.jdbc.JdbcQuarantine;
import io.idempotency.store.MessageId;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import javax.sql.DataSource;

/** A real PostgreSQL with its durable default settings, and a database for each service. */
final class Databases implements AutoCloseable {

    private static final List<String> NAMES = List.of("orders", "payments", "ledger", "notifications");
    private static final int CONNECTIONS = 4;

    private final EmbeddedPostgres server;
    private final Map<String, HikariDataSource> pools = new ConcurrentHashMap<>();

    private Databases(EmbeddedPostgres server) {
        this.server = server;
    }

    /**
     * Starts the server.
     *
     * @param binaries the folder for its programs, which are unpacked if they are missing
     * @param data the folder of the databases
     */
    static Databases start(Path binaries, Path data) throws IOException, SQLException {
        // The embedded server switches fsync and synchronous commit off, for tests; here they are as PostgreSQL has
        // them.
        EmbeddedPostgres server = EmbeddedPostgres.builder()
                .setOverrideWorkingDirectory(binaries.toFile())
                .setDataDirectory(data)
                .setCleanDataDirectory(true)
                .setRegisterShutdownHook(false)
                .setServerConfig("fsync", "on")
                .setServerConfig("synchronous_commit", "on")
                .start();
        Databases databases = new Databases(server);
        for (String name : NAMES) {
            databases.execute("postgres", "create database " + name);
        }
        return databases;
    }

    /** Returns a line about the server: its version and its durability settings. */
    String describe() throws SQLException {
        return query(
                        "postgres",
                        "select concat('PostgreSQL ', current_setting('server_version'), ' (fsync ', current_setting('fsync'),"
                                + " ', synchronous_commit ', current_setting('synchronous_commit'), ')')",
                        row -> row.getString(1))
                .get(0);
    }

    /** Returns the address of a database for a node. The server knows the node by its name. */
    String url(String database, String node) {
        return server.getJdbcUrl("postgres", database) + "&reWriteBatchedInserts=true&ApplicationName=" + node;
    }

    /** Returns the connections of the demo itself. */
    DataSource dataSource(String database) {
        return pools.computeIfAbsent(database, name -> {
            HikariConfig config = new HikariConfig();
            config.setJdbcUrl(url(name, "demo"));
            config.setMaximumPoolSize(CONNECTIONS);
            return new HikariDataSource(config);
        });
    }

    /** Returns every entry of a table of payments. */
    List<Entry> entries(String database, String table) throws SQLException {
        return query(
                database,
                "select order_id, cents from " + table,
                row -> new Entry(row.getObject(1, UUID.class), row.getLong(2)));
    }

    /** Returns the number of rows of a table; 0 if it does not exist yet. */
    long count(String database, String table) throws SQLException {
        boolean isThere = query(database, "select to_regclass('" + table + "') is not null", row -> row.getBoolean(1))
                .get(0);
        return isThere
                ? query(database, "select count(*) from " + table, row -> row.getLong(1))
                        .get(0)
                : 0;
    }

    /** Returns the ids of the messages in quarantine. */
    Set<String> quarantined(String database, String consumer) {
        Set<String> ids = new HashSet<>();
        for (MessageId id : JdbcQuarantine.on(dataSource(database)).list(consumer, Integer.MAX_VALUE)) {
            ids.add(id.value());
        }
        return ids;
    }

    <T> List<T> query(String database, String query, Row<T> reader) throws SQLException {
        try (Connection connection = dataSource(database).getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            List<T> all = new ArrayList<>();
            while (rows.next()) {
                all.add(reader.read(rows));
            }
            return all;
        }
    }

    /** Reads one row. */
    interface Row<T> {
        T read(ResultSet row) throws SQLException;
    }

    void execute(String database, String statement) throws SQLException {
        try (Connection connection = dataSource(database).getConnection();
                Statement executed = connection.createStatement()) {
            executed.execute(statement);
        }
    }

    /** Changes rows by some statements in one transaction. Returns the number of rows that the last one changed. */
    int update(String database, List<String> statements) throws SQLException {
        try (Connection connection = dataSource(database).getConnection();
                Statement executed = connection.createStatement()) {
            connection.setAutoCommit(false);
            int rows = 0;
            for (String statement : statements) {
                rows = executed.executeUpdate(statement);
            }
            connection.commit();
            return rows;
        }
    }

    @Override
    public void close() throws IOException {
        pools.values().forEach(HikariDataSource::close);
        server.close();
    }
}
