package io.idempotency.samples.rough;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Path;

/** A real PostgreSQL. */
record Postgresql(EmbeddedPostgres server) implements Server {

    /**
     * Starts the server.
     *
     * @param binaries the folder for its programs, which are unpacked if they are missing
     */
    static Postgresql start(Path binaries, Path files) throws IOException {
        return new Postgresql(EmbeddedPostgres.builder()
                .setOverrideWorkingDirectory(binaries.toFile())
                .setDataDirectory(files.resolve("postgresql"))
                .setCleanDataDirectory(true)
                .setRegisterShutdownHook(false)
                // The server outlives the run; only its clients are killed.
                .setServerConfig("fsync", "off")
                .setServerConfig("max_connections", "150")
                .start());
    }

    @Override
    public String url() {
        return server.getJdbcUrl("postgres", "postgres")
                + "&reWriteBatchedInserts=true&options=-c%20lock_timeout=500ms";
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
