package io.idempotency.database;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A server of Firebird 3 from Debian's package {@code firebird3.0-server}, with its own settings, users and database. The machine's own server is not touched. */
final class Firebird {

    private static final Path SERVER = Path.of("/usr/sbin/firebird");
    private static final Path SQL = Path.of("/usr/bin/isql-fb");
    private static final Path SETTING = Path.of("/usr/bin/gfix");
    private static final Path USERS = Path.of("/usr/share/firebird/3.0/security.sql");
    private static final String USER = "sysdba";
    private static final String PASSWORD = "masterkey";

    /** By its own default a transaction waits for a row for ever. It counts full seconds of the clock: one may be over at once. */
    private static final String URL = "jdbc:firebird://127.0.0.1:%d/%s?charSet=UTF-8&TRANSACTION_READ_COMMITTED="
            + "isc_tpb_read_committed,isc_tpb_rec_version,isc_tpb_write,isc_tpb_wait,isc_tpb_lock_timeout%%3D3";

    private Firebird() {}

    /** Returns where the package has its modules, if it is installed. */
    static Optional<Path> folder() {
        if (!Files.isExecutable(SERVER) || !Files.isExecutable(SQL) || !Files.isReadable(USERS)) {
            return Optional.empty();
        }
        try (DirectoryStream<Path> architectures = Files.newDirectoryStream(Path.of("/usr/lib"), "*-linux-*")) {
            Iterator<Path> folders = architectures.iterator();
            while (folders.hasNext()) {
                Path folder = folders.next().resolve("firebird/3.0");
                if (Files.isDirectory(folder.resolve("plugins"))) {
                    return Optional.of(folder);
                }
            }
            return Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Database start() {
        Path folder = ServerProcess.newFolder("firebird");
        int port = ServerProcess.freePort();
        Path file = folder.resolve("idempotency.fdb");
        Map<String, String> environment = Map.of(
                "FIREBIRD", folder.toString(),
                "FIREBIRD_LOCK", folder.toString(),
                "FIREBIRD_TMP", folder.toString(),
                "FIREBIRD_MSG", folder.toString(),
                "TZ", "UTC");
        try {
            settle(folder, port);
            createDatabases(folder, file, environment);
            run(List.of(SETTING.toString(), "-user", USER, "-write", "async", file.toString()), "", environment);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Database database = new Database(URL.formatted(port, file), USER, PASSWORD);
        ServerProcess.start(folder, List.of(SERVER.toString(), "-p", String.valueOf(port)), environment, database);
        return database;
    }

    private static void settle(Path folder, int port) throws IOException {
        Path installed = folder().orElseThrow();
        for (String part : List.of("plugins", "plugins.conf", "intl", "firebird.msg")) {
            Files.createSymbolicLink(folder.resolve(part), installed.resolve(part));
        }
        Files.createFile(folder.resolve("databases.conf"));
        Files.writeString(folder.resolve("firebird.conf"), """
                SecurityDatabase = %s/security.fdb
                RemoteBindAddress = 127.0.0.1
                RemoteServicePort = %d
                ServerMode = Super
                """.formatted(folder, port));
    }

    /** Without a server: that will find them. */
    private static void createDatabases(Path folder, Path file, Map<String, String> environment) throws IOException {
        run(
                List.of(SQL.toString(), "-quiet", "-bail", "-user", USER),
                """
                create database '%s/security.fdb';
                in %s;
                commit;
                create user %s password '%s';
                commit;
                create database '%s' default character set utf8;
                """.formatted(folder, USERS, USER, PASSWORD, file),
                environment);
    }

    private static void run(List<String> command, String input, Map<String, String> environment) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().putAll(environment);
        Process process = builder.start();
        try (var toIt = process.outputWriter()) {
            toIt.write(input);
        }
        try (var fromIt = process.inputReader()) {
            String said = String.join("\n", fromIt.lines().toList());
            if (process.waitFor() != 0) {
                throw new IllegalStateException(command + ": " + said);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
