package io.idempotency.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The jar that people run: drivers, Flyway with its databases and JSON have to be inside. */
class PackagedJarIT {

    @ParameterizedTest
    @EnumSource
    void createsTheTablesAndSaysSo(Server server) throws Exception {
        String prefix = "jar_";

        Ran before = run(server, "schema", "validate", "--table-prefix", prefix);
        assertThat(before.code()).as(before.said()).isEqualTo(ExitCode.REFUSED);
        Ran migrated = run(server, "schema", "migrate", "--yes", "--output", "json", "--table-prefix", prefix);
        assertThat(migrated.code()).as(migrated.said()).isZero();
        assertThat(migrated.said()).contains("\"valid\":true");
        assertThat(run(server, "consumers", "--table-prefix", prefix).code()).isEqualTo(ExitCode.NOTHING);
    }

    private record Ran(int code, String said) {}

    private static Ran run(Server server, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-jar",
                System.getProperty("idempotency.jar")));
        command.addAll(List.of(arguments));
        command.addAll(List.of("--url", server.url()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Ran(process.waitFor(), said);
    }
}
