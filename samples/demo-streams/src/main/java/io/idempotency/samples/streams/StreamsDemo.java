package io.idempotency.samples.streams;

import io.idempotency.samples.demo.Broker;
import io.idempotency.samples.demo.Cleanup;
import io.idempotency.samples.demo.Screen;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Shows that a {@code Deduplication} forwards each payment once although the processes of its Kafka Streams application die, stop and freeze.
 *
 * <p>For each guarantee it starts two processes, sends payments and copies of a tenth of them, and causes each {@link Accident} twice meanwhile. At the end it
 * reads all outputs as a consumer with {@code read_committed} does. The exit status is 0 if no payment is lost, no copy came out, and under {@code
 * exactly_once_v2} no payment came out twice.
 */
public final class StreamsDemo {

    private StreamsDemo() {}

    /** Runs the demo; system properties are those of {@code Settings}. */
    public static void main(String[] args) {
        Settings settings = Settings.fromSystemProperties();
        Cleanup cleanup = new Cleanup();
        boolean isGood = false;
        try {
            isGood = run(settings, cleanup);
        } catch (Throwable e) {
            // Errors, too: a start that is interrupted by the end can fail in any way.
            if (!cleanup.isClosed()) {
                e.printStackTrace();
            }
        } finally {
            cleanup.close();
        }
        System.out.flush();
        System.exit(isGood ? 0 : 1);
    }

    private static boolean run(Settings settings, Cleanup cleanup) throws Exception {
        Screen screen = new Screen();
        List<Verdict> verdicts = verdicts(settings, cleanup, screen);
        boolean isGood = screen.problems().isEmpty() && verdicts.stream().allMatch(Verdict::isGood);
        screen.problems().forEach(problem -> System.out.println("PROBLEM: " + problem));
        verdicts.forEach(verdict -> System.out.println(verdict.line()));
        System.out.println(isGood ? "PASSED" : "FAILED: see the verdicts, what is named PROBLEM above, and the logs");
        return isGood;
    }

    /** Runs under each guarantee. */
    static List<Verdict> verdicts(Settings settings, Cleanup cleanup, Screen screen) throws Exception {
        Path files = cleanup.temporary(settings.folder().resolve("run"));
        Path logs = settings.folder().resolve("logs");
        Files.createDirectories(logs);
        screen.say("starting a broker");
        Broker broker = cleanup.start(() -> Broker.start(files.resolve("broker"), 0, settings.seed()));
        List<Verdict> verdicts = new ArrayList<>();
        for (String guarantee : settings.guarantees()) {
            verdicts.add(new Run(settings, guarantee, broker.address(), screen, cleanup, files, logs).verdict());
        }
        return verdicts;
    }
}
