package io.idempotency.outage;

import io.idempotency.jdbc.Schema;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.postgresql.ds.PGSimpleDataSource;
import org.springframework.util.FileSystemUtils;

/**
 * A PostgreSQL server that can crash and come back with its port and its data. Has the tables of the store, and a table of
 * effects without any unique constraint, so that doubles show.
 */
final class Postgres implements AutoCloseable {

    private final Path data;
    private EmbeddedPostgres server;

    private Postgres(Path data, EmbeddedPostgres server) {
        this.data = data;
        this.server = server;
    }

    private static final class Shared {
        private static final Postgres SERVER = start();
    }

    /** Returns the server of the tests that leave it running. */
    static Postgres shared() {
        return Shared.SERVER;
    }

    /** Stops that server when all tests are done. */
    static void stopShared() {
        shared().close();
    }

    static Postgres start() {
        try {
            Path data = Files.createTempDirectory("outage-postgres");
            Postgres postgres = new Postgres(data, start(data, 0));
            PGSimpleDataSource direct = new PGSimpleDataSource();
            direct.setUrl(postgres.url());
            Schema.on(direct).migrate();
            postgres.execute(
                    "create table effect (seq bigserial, consumer text, part int, record_offset bigint, id text)");
            return postgres;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static EmbeddedPostgres start(Path data, int port) throws IOException {
        return EmbeddedPostgres.builder()
                .setDataDirectory(data)
                .setCleanDataDirectory(false)
                .setRegisterShutdownHook(false)
                .setPort(port)
                .setServerConfig("fsync", "off")
                .setServerConfig("synchronous_commit", "on")
                .setServerConfig("deadlock_timeout", "100ms")
                .start();
    }

    /** Stops at once, as {@code pg_ctl stop -m immediate} does: sessions are cut, and nothing is written. */
    void crash() {
        try {
            String pid = Files.readAllLines(data.resolve("postmaster.pid")).get(0);
            ProcessHandle postmaster = ProcessHandle.of(Long.parseLong(pid)).orElseThrow();
            Signals.send("QUIT", postmaster.pid());
            postmaster.onExit().join();
            server.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void comeBack() {
        try {
            server = start(data, server.getPort());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        try {
            server.close();
            FileSystemUtils.deleteRecursively(data);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    int port() {
        return server.getPort();
    }

    String url() {
        return url(server.getPort());
    }

    /** Returns the address of this server at another port, such as a proxy's. */
    static String url(int port) {
        return "jdbc:postgresql://localhost:" + port + "/postgres?user=postgres&password=postgres&connectTimeout=2";
    }

    Connection connect() throws SQLException {
        return DriverManager.getConnection(url());
    }

    void execute(String sql) {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    long number(String sql) {
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            return result.next() ? result.getLong(1) : -1;
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    /** Returns the effects of a consumer, in the order in which they happened. */
    List<Entry> effects(String consumer) {
        String sql = "select part, record_offset, id from effect where consumer = '" + consumer + "' order by seq";
        List<Entry> effects = new ArrayList<>();
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(sql)) {
            while (result.next()) {
                effects.add(new Entry(result.getInt(1), result.getLong(2), result.getString(3)));
            }
            return effects;
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }
}
