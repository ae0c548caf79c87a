package io.idempotency.benchmarks;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.NoBenchmarksException;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * Measures by JMH the code that runs in memory for every message: nanoseconds and allocated bytes per message, in one thread. Like a test, such a class is in the
 * package of the measured class and named after it: {@code IdTableBenchmark}. It needs no broker and no database.
 */
final class MicroBenchmarks {

    private static final int WARM_UPS = 5;

    private final Settings settings;

    MicroBenchmarks(Settings settings) {
        this.settings = settings;
    }

    /** Measures, each method in a JVM of its own, prints JMH's table and writes its form of results. */
    void run() throws RunnerException, IOException {
        Files.createDirectories(settings.results());
        Path results = settings.results().resolve("micro.json");
        TimeValue time = TimeValue.milliseconds(Math.round(settings.seconds() * 1_000));
        ChainedOptionsBuilder options = new OptionsBuilder()
                .include("\\." + oneOf(settings.scenarios()) + "\\." + oneOf(settings.contestants()) + "$")
                .mode(Mode.AverageTime)
                .timeUnit(TimeUnit.NANOSECONDS)
                .addProfiler(GCProfiler.class)
                .forks(1)
                .threads(1)
                .warmupIterations(WARM_UPS)
                .warmupTime(time)
                .measurementIterations(settings.runs())
                .measurementTime(time)
                .jvmArgs(
                        "-Xms1g",
                        "-Xmx1g",
                        "-Djava.io.tmpdir=" + fromHere(Path.of(System.getProperty("java.io.tmpdir"))),
                        "-Ddemo.log=" + fromHere(settings.logs().resolve("micro.log")))
                .jvmArgsAppend(settings.jvmOptions("micro").toArray(String[]::new))
                .shouldFailOnError(true)
                .resultFormat(ResultFormatType.JSON)
                .result(results.toString());
        try {
            new Runner(options.build()).run();
        } catch (NoBenchmarksException e) {
            throw new IllegalArgumentException(
                    "No class among -Dscenarios= has a method among -Dcontestants=, such as IdTableBenchmark and adds",
                    e);
        }
        // The path of this machine's Java does not matter for the results.
        String written = Files.readString(results, StandardCharsets.UTF_8);
        Files.writeString(results, written.replace(System.getProperty("java.home") + "/", ""), StandardCharsets.UTF_8);
    }

    private static String oneOf(Set<String> names) {
        return names.isEmpty() ? "[^.]+" : "(" + String.join("|", names) + ")";
    }

    private static Path fromHere(Path path) {
        return Path.of("").toAbsolutePath().relativize(path.toAbsolutePath());
    }
}
