package io.idempotency.samples.demo;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

/** A real PostgreSQL with its durable default settings, and the bank's tables in it. */
final class Database implements AutoCloseable {

    static final long OPENING_BALANCE = 1_000_000_00;

    /** How long a session may idle in a transaction. After this time the locks of a stopped process are free. */
    static final int IDLE_IN_TRANSACTION_SECONDS = 7;

    private final EmbeddedPostgres server;

    private Database(EmbeddedPostgres server) {
        this.server = server;
    }

    /** Starts the server in the folder, and creates the tables of the bank. */
    static Database start(Path folder) throws IOException, SQLException {
        // The embedded server switches fsync and synchronous commit off, for tests; here they are on, as PostgreSQL has
        // them.
        EmbeddedPostgres server = EmbeddedPostgres.builder()
                .setOverrideWorkingDirectory(folder.resolve("binaries").toFile())
                .setDataDirectory(folder.resolve("data"))
                .setCleanDataDirectory(true)
                .setRegisterShutdownHook(false)
                .setServerConfig("fsync", "on")
                .setServerConfig("synchronous_commit", "on")
                .start();
        Database database = new Database(server);
        database.createTables();
        return database;
    }

    /** Returns the address for sessions, with their limit for idling in a transaction. */
    String url() {
        return server.getJdbcUrl("postgres", "postgres") + "&options=-c%20idle_in_transaction_session_timeout="
                + IDLE_IN_TRANSACTION_SECONDS + "s";
    }

    /** Returns a source of new connections. */
    DataSource dataSource() {
        PGSimpleDataSource source = new PGSimpleDataSource();
        source.setUrl(url());
        return source;
    }

    /** Returns a pool of connections. */
    static HikariDataSource pool(String url, int size) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url);
        config.setMaximumPoolSize(size);
        return new HikariDataSource(config);
    }

    /** Creates the tables. Posting has no unique constraint, so that a double effect is visible and not prevented. */
    private void createTables() throws SQLException {
        try (Connection connection = dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("""
                    create table account (id int primary key, balance bigint not null) with (fillfactor = 50);
                    create table posting (message_id uuid not null, from_account int not null, to_account int not null,
                        cents bigint not null);
                    create table outbox (number bigint generated always as identity primary key, payment text not null);
                    """);
            statement.execute("insert into account select number, " + OPENING_BALANCE + " from generate_series(0, "
                    + (Payments.ACCOUNTS - 1) + ") number");
        }
    }

    /** Returns a line about the server: its version and its durability settings. */
    String describe() throws SQLException {
        return "PostgreSQL " + text("show server_version") + " (fsync " + text("show fsync") + ", synchronous_commit "
                + text("show synchronous_commit") + ", full_page_writes " + text("show full_page_writes") + ")";
    }

    /** Returns how many deadlocks the server has broken. */
    long deadlocks() throws SQLException {
        return Long.parseLong(text("select deadlocks from pg_stat_database where datname = current_database()"));
    }

    /** Returns every posting. */
    List<Payment> postings() throws SQLException {
        return texts("select concat_ws(',', message_id, from_account, to_account, cents) from posting").stream()
                .map(Payment::decode)
                .toList();
    }

    /** Returns the balance of every account. */
    Map<Integer, Long> balances() throws SQLException {
        return texts("select id || '=' || balance from account").stream()
                .map(text -> text.split("=", -1))
                .collect(Collectors.toMap(pair -> Integer.valueOf(pair[0]), pair -> Long.valueOf(pair[1])));
    }

    /** Runs a query with one column and returns its rows as text. */
    private List<String> texts(String query) throws SQLException {
        try (Connection connection = dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            List<String> texts = new ArrayList<>();
            while (rows.next()) {
                texts.add(rows.getString(1));
            }
            return texts;
        }
    }

    private String text(String query) throws SQLException {
        return texts(query).get(0);
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
