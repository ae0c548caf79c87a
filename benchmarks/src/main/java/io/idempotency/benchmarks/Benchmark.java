package io.idempotency.benchmarks;

import io.idempotency.samples.demo.Cleanup;
import io.idempotency.samples.demo.Screen;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.kafka.common.utils.AppInfoParser;

/**
 * Measures this library, a consumer without deduplication and other libraries in one run.
 *
 * <p>It starts a broker in a JVM of its own, and a PostgreSQL with its durable settings. All contestants read the same topics by the same loop ({@link Reader})
 * and have the same effects ({@link Effects}), each in a JVM of its own ({@link Contestant}). In each scenario ({@link Scenarios}) they warm up, and then take
 * turns ({@link Comparison}). The results have all raw samples and the figures that are computed from them ({@link Ratios}). The form {@code micro} measures
 * single methods instead ({@link MicroBenchmarks}), {@code outbox} relays ({@link OutboxBenchmark}), {@code streams} an application of Kafka Streams ({@link StreamsBenchmark}), and {@code share} share groups ({@link ShareBenchmark}).
 */
public final class Benchmark {

    private static final String SCENARIO_NOTE =
            "A ratio or size that is missing belongs to a scenario that this form of the run does not have.";
    private static final String LATENCY_NOTE =
            "Latencies are those of a poll from its return until its offsets are committed, or sent where that is not waited for.";

    private final Settings settings;
    private final Cleanup cleanup;
    private final Screen screen = new Screen();

    private Benchmark(Settings settings, Cleanup cleanup) {
        this.settings = settings;
        this.cleanup = cleanup;
    }

    /** Runs the benchmark; system properties are those of {@code Settings}. */
    public static void main(String[] args) {
        boolean isGood = false;
        Cleanup cleanup = new Cleanup();
        try {
            new Benchmark(Settings.fromSystemProperties(), cleanup).run();
            isGood = true;
        } catch (IllegalArgumentException e) {
            System.out.println(e.getMessage());
        } catch (Exception e) {
            if (!cleanup.isClosed()) {
                e.printStackTrace();
            }
        } finally {
            cleanup.close();
        }
        System.exit(isGood ? 0 : 1);
    }

    private void run() throws Exception {
        if (settings.form() == Form.MICRO) {
            new MicroBenchmarks(settings).run();
            return;
        }
        if (settings.form() == Form.OUTBOX) {
            new OutboxBenchmark(settings, cleanup, screen).run();
            return;
        }
        if (settings.form() == Form.STREAMS) {
            new StreamsBenchmark(settings, cleanup, screen).run();
            return;
        }
        if (settings.form() == Form.SHARE) {
            new ShareBenchmark(settings, cleanup, screen).run();
            return;
        }
        List<Scenario> scenarios = settings.wantedScenarios();
        if (scenarios.isEmpty() && !settings.isSpaceWanted()) {
            throw new IllegalArgumentException("No scenario has these names; there are space and "
                    + Scenarios.of(settings.form(), settings.archived()).stream()
                            .map(Scenario::name)
                            .toList());
        }
        Stage stage = Stage.setUp(settings, screen, cleanup);
        List<Space> spaces = settings.isSpaceWanted() ? new Spaces(stage).measure(cleanup) : List.of();
        List<Measurement> measurements = new ArrayList<>();
        EffectCount effects = EffectCount.NONE;
        for (Scenario scenario : scenarios) {
            Comparison comparison = new Comparison(stage, scenario);
            measurements.addAll(comparison.run(cleanup));
            effects = effects.and(comparison.effects());
            // The results so far, in case a later scenario fails.
            results(stage, effects, measurements, spaces).write(settings.folder());
        }
        Results results = results(stage, effects, measurements, spaces);
        results.write(settings.results());
        screen.say(effects.describe());
        results.ratios().forEach((name, ratio) -> screen.say(String.format(Locale.ROOT, "%-30s %.2f", name, ratio)));
        results.sizes().forEach((name, size) -> screen.say(String.format(Locale.ROOT, "%-30s %s", name, size)));
        screen.say("results are in " + settings.results());
    }

    private Results results(Stage stage, EffectCount effects, List<Measurement> measurements, List<Space> spaces)
            throws IOException {
        return new Results(
                        commit(),
                        LocalDate.now(ZoneOffset.UTC).toString(),
                        Machine.here(),
                        stage.database().describe() + "; Kafka " + AppInfoParser.getVersion(),
                        settings.describe(),
                        List.of(SCENARIO_NOTE, LATENCY_NOTE),
                        effects,
                        Map.of(),
                        Map.of(),
                        Map.of(),
                        measurements,
                        spaces)
                .computed();
    }

    /** Returns the commit, with a mark if files other than the results have changed; unknown without a Git history. */
    private static String commit() throws IOException {
        Process process = new ProcessBuilder(
                        "git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=-changed")
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).trim();
        return said.matches("[0-9a-f]{40}(-changed)?") ? said : "unknown";
    }
}
