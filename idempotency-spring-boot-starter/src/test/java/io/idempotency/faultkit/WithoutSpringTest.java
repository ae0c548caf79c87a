package io.idempotency.faultkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The kit on a class path without Spring, Kafka and databases. */
class WithoutSpringTest {

    @Test
    void testsAHandler() throws IOException, InterruptedException {
        String path = Pattern.compile(File.pathSeparator)
                .splitAsStream(System.getProperty("java.class.path"))
                .filter(entry -> entry.contains("target")
                        || entry.matches(
                                ".*/(junit|opentest4j|assertj|slf4j|jspecify|java-uuid|byte-buddy)[^/]*\\.jar"))
                .collect(Collectors.joining(File.pathSeparator));

        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        path,
                        TestRun.class.getName(),
                        HandlersTest.Users.class.getName(),
                        "chargesByTheIdOfTheOrder")
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), UTF_8);

        assertThat(process.waitFor()).as(said).isZero();
        assertThat(path).doesNotContain("spring-test").doesNotContain("kafka-clients");
        assertThat(said.lines()).contains(Runs.AGAIN, Runs.DIES_AFTER_EFFECT, Runs.ANSWER_LOST, "{}");
    }
}
