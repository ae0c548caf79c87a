package io.idempotency.faultkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The kit on class paths without Spring or Kafka. */
class WithoutOptionalPartsTest {

    private static final String NEEDED = "junit|opentest4j|assertj|slf4j|jspecify|java-uuid|byte-buddy";

    @Test
    void testsAHandlerWithoutSpringAndKafka() throws IOException, InterruptedException {
        assertThat(run(NEEDED, HandlersTest.Users.class, "chargesByTheIdOfTheOrder"))
                .contains(Runs.AGAIN, Runs.DIES_AFTER_EFFECT, Runs.ANSWER_LOST, "{}");
    }

    @Test
    void testsAServiceOfAnApplicationWithoutKafka() throws IOException, InterruptedException {
        String needed =
                NEEDED + "|h2|commons-logging|micrometer|spring-(core|beans|context|aop|expression|jdbc|tx|test)-";

        assertThat(run(needed, ServiceUsers.class, "chargesOnce"))
                .contains(Runs.AGAIN, Runs.DIES_BEFORE_COMMIT, Runs.STATEMENT_FAILS, Runs.ANSWER_LOST, "{}");
    }

    /** Runs a test in a process that has only these jars, and returns the lines that it printed. */
    private static List<String> run(String jars, Class<?> type, String test) throws IOException, InterruptedException {
        String path = Pattern.compile(File.pathSeparator)
                .splitAsStream(System.getProperty("java.class.path"))
                .filter(entry -> entry.contains("target") || entry.matches(".*/(" + jars + ")[^/]*\\.jar"))
                .collect(Collectors.joining(File.pathSeparator));
        assertThat(path).doesNotContain("kafka-clients");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        path,
                        TestRun.class.getName(),
                        type.getName(),
                        test)
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        return said.lines().toList();
    }
}
