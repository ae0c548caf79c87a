package io.idempotency.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The command line as a process of its own. */
class ProcessTest {

    private static final String SECRET =
            "a-secret-of-" + ProcessHandle.current().pid();

    private static ProcessBuilder process(String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                IdempotencyCli.class.getName()));
        command.addAll(Arrays.asList(arguments));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("IDEMPOTENCY_PASSWORD", SECRET);
        return builder;
    }

    @Test
    void runsAndTellsByItsExitCode() throws Exception {
        Scene scene = Scene.on(Server.POSTGRESQL);
        scene.processed("1", 1);

        Process found = process(
                        "why", scene.consumer, "1", "--url", Server.POSTGRESQL.url(), "--table-prefix", Scene.PREFIX)
                .start();
        assertThat(new String(found.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .startsWith("Message 1 of " + scene.consumer + " was processed");
        assertThat(new String(found.getErrorStream().readAllBytes(), StandardCharsets.UTF_8))
                .isEmpty();
        assertThat(found.waitFor()).isZero();

        Process unasked = process("forget", scene.consumer, "1", "--reason", "INC-42", "--url", Server.POSTGRESQL.url())
                .start();
        assertThat(unasked.waitFor()).as("there is no terminal").isEqualTo(ExitCode.USAGE);
    }

    /** The server accepts and says nothing, so the process stays where it has its password, until it is interrupted. */
    @Test
    void thePasswordIsInNoListOfProcesses() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Process process = process(
                            "consumers",
                            "--user",
                            "ada",
                            "--url",
                            "jdbc:postgresql://127.0.0.1:" + silent.getLocalPort() + "/x")
                    .start();
            try (Socket connected = silent.accept()) {
                assertThat(connected.isConnected()).isTrue();
                List<String> seen = new ArrayList<>();
                for (ProcessHandle each : List.of(process.toHandle(), ProcessHandle.current())) {
                    seen.add(each.info().commandLine().orElse(""));
                    seen.addAll(Arrays.asList(each.info().arguments().orElse(new String[0])));
                    seen.add(commandLineOf(each));
                }
                assertThat(seen)
                        .anyMatch(line -> line.contains("jdbc:postgresql://127.0.0.1:" + silent.getLocalPort()));
                assertThat(seen).noneMatch(line -> line.contains(SECRET));
            } finally {
                process.destroyForcibly();
                assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
            }
        }
    }

    /** Returns what other users of the machine see, where it has such files. */
    private static String commandLineOf(ProcessHandle process) throws IOException {
        Path file = Path.of("/proc/" + process.pid() + "/cmdline");
        return Files.exists(file) ? Files.readString(file) : "";
    }

    @Test
    void anExportToAFullDiskFails() throws Exception {
        File full = new File("/dev/full");
        assumeTrue(full.exists(), "there is no /dev/full");
        Scene scene = Scene.on(Server.POSTGRESQL);
        scene.quarantined("1", 1);

        Process process = process(
                        "quarantine",
                        "export",
                        scene.consumer,
                        "--url",
                        Server.POSTGRESQL.url(),
                        "--table-prefix",
                        Scene.PREFIX)
                .redirectOutput(full)
                .start();

        assertThat(new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8))
                .contains("the export is incomplete");
        assertThat(process.waitFor()).isEqualTo(ExitCode.REFUSED);
    }

    @Test
    void anInterruptedCommandEndsWithItsOwnCode() throws Exception {
        Scene scene = Scene.on(Server.POSTGRESQL);
        scene.quarantined("1", 1);
        Process process = process(
                        "quarantine",
                        "replay",
                        scene.consumer,
                        "--wait",
                        "--yes",
                        "--reason",
                        "INC-42",
                        "--url",
                        Server.POSTGRESQL.url(),
                        "--table-prefix",
                        Scene.PREFIX)
                .start();
        try (var err = process.errorReader(StandardCharsets.UTF_8)) {
            String line = err.readLine();
            while (line != null && !line.startsWith("Asked for the replay")) {
                line = err.readLine();
            }
            // Process.destroy() would close the streams.
            process.toHandle().destroy();
            assertThat(err.lines().reduce("", String::concat))
                    .startsWith("Interrupted; the replay ")
                    .endsWith("goes on");
        }
        assertThat(process.waitFor()).isEqualTo(ExitCode.INTERRUPTED);
    }
}
