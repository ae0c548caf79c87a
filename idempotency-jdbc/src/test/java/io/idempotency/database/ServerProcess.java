package io.idempotency.database;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;

/** The process of a server. A shell waits for the end of its input, which comes with the end of this process, and then ends the server and removes its folder. */
final class ServerProcess {

    private static final Duration PATIENCE = Duration.ofMinutes(1);

    /** An interruption of the tests at a terminal also interrupts the shell. */
    private static final String UNTIL_THE_INPUT_ENDS = """
            trap '' INT HUP
            cd "$1"
            folder=$1
            shift
            exec 3<&0
            "$@" > said 2>&1 &
            cat <&3 > /dev/null
            kill -9 $!
            wait $!
            cd /
            rm -rf "$folder"
            """;

    private ServerProcess() {}

    /** Runs a command in a folder, and returns when the database lets somebody in. */
    static void start(Path folder, List<String> command, Map<String, String> environment, Database database) {
        List<String> all = new ArrayList<>(List.of("sh", "-c", UNTIL_THE_INPUT_ENDS, "sh", folder.toString()));
        all.addAll(command);
        ProcessBuilder builder = new ProcessBuilder(all)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD);
        builder.environment().putAll(environment);
        try {
            builder.start();
            await().atMost(PATIENCE)
                    .pollInterval(Duration.ofMillis(50))
                    .ignoreExceptions()
                    .until(isOpen(database));
        } catch (RuntimeException | IOException e) {
            throw new IllegalStateException("No server: " + said(folder), e);
        }
    }

    private static Callable<Boolean> isOpen(Database database) {
        return () -> {
            try (Connection connection = database.dataSource().getConnection()) {
                return connection.isValid(1);
            } catch (SQLException notYet) {
                return false;
            }
        };
    }

    private static String said(Path folder) {
        try {
            return Files.readString(folder.resolve("said"));
        } catch (IOException e) {
            return e.toString();
        }
    }

    static Path newFolder(String name) {
        try {
            return Files.createTempDirectory(name.toLowerCase(Locale.ROOT) + "-")
                    .toAbsolutePath();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
