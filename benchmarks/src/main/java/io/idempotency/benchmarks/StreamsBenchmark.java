package io.idempotency.benchmarks;

import io.idempotency.benchmarks.StreamsApplication.Kind;
import io.idempotency.benchmarks.Topic.Ids;
import io.idempotency.samples.demo.Cleanup;
import io.idempotency.samples.demo.Screen;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.streams.StreamsConfig;

/**
 * Measures a Kafka Streams application that copies a topic of new messages to another one, with and without a deduplication in between: the rate until all messages are there for a
 * reader, the bytes that the ids take on disk and in the changelog, and the time to restore them. The two take turns, under each guarantee.
 */
final class StreamsBenchmark {

    private static final Topic TOPIC = new Topic("payments", 4, 1_000_000, Ids.NEW);
    private static final List<String> GUARANTEES = List.of(StreamsConfig.EXACTLY_ONCE_V2, StreamsConfig.AT_LEAST_ONCE);

    private final Settings settings;
    private final Cleanup cleanup;
    private final Screen screen;

    StreamsBenchmark(Settings settings, Cleanup cleanup, Screen screen) {
        this.settings = settings;
        this.cleanup = cleanup;
        this.screen = screen;
    }

    /**
     * The figures under one guarantee, in each round.
     *
     * @param with messages a second with the deduplication
     * @param without messages a second of the same topology without it
     * @param byHand messages a second with a store of ids in a processor of one's own
     * @param diskBytes bytes of an id in the state directory, when the application has ended
     * @param changelogBytes bytes of an id in the log of the changelog, before it is compacted
     * @param restoreSeconds seconds to restore a million ids into an empty directory
     */
    record Figures(
            List<Double> with,
            List<Double> without,
            List<Double> byHand,
            List<Double> diskBytes,
            List<Double> changelogBytes,
            List<Double> restoreSeconds) {

        static Figures none() {
            return new Figures(
                    new ArrayList<>(),
                    new ArrayList<>(),
                    new ArrayList<>(),
                    new ArrayList<>(),
                    new ArrayList<>(),
                    new ArrayList<>());
        }
    }

    void run() throws Exception {
        Path files = cleanup.temporary(settings.folder().resolve("run"));
        Cleanup.delete(settings.logs());
        Files.createDirectories(settings.logs());
        Child process = cleanup.start(() -> Child.start(
                "broker",
                settings.logs(),
                List.of("-Xmx1g"),
                BrokerProcess.class,
                files.resolve("kafka").toString()));
        String broker = process.hear();
        try (Topics topics = new Topics(broker);
                Admin admin = Admin.create(Map.of("bootstrap.servers", broker))) {
            topics.require(TOPIC);
            screen.say(TOPIC.messages() + " messages are sent");
            Map<String, Figures> figures = new LinkedHashMap<>();
            for (int round = 0; round <= settings.runs(); round++) {
                for (String guarantee : GUARANTEES) {
                    // The first round warms up.
                    Figures all = round == 0 ? Figures.none() : figures.computeIfAbsent(guarantee, g -> Figures.none());
                    measure(admin, broker, guarantee, files, all);
                }
            }
            write(figures);
        }
    }

    private void measure(Admin admin, String broker, String guarantee, Path files, Figures all) throws Exception {
        double without = rate(admin, broker, guarantee, files, Kind.PLAIN);
        double byHand = rate(admin, broker, guarantee, files, Kind.BY_HAND);
        double with;
        double changelog;
        double disk;
        double restore;
        try (StreamsApplication application =
                cleanup.start(() -> new StreamsApplication(admin, broker, guarantee, files, TOPIC, Kind.LIBRARY))) {
            with = application.rate();
            changelog = application.changelogBytes() / TOPIC.messages();
            application.end();
            disk = application.diskBytes() / TOPIC.messages();
            restore = application.restoreSeconds() / TOPIC.messages() * 1e6;
        }
        all.without().add(without);
        all.byHand().add(byHand);
        all.with().add(with);
        all.diskBytes().add(disk);
        all.changelogBytes().add(changelog);
        all.restoreSeconds().add(restore);
        screen.say(String.format(
                Locale.ROOT,
                "%s: %,.0f a second without, %,.0f by hand, %,.0f with (%.2f); %.0f bytes of disk and %.0f of changelog for an id; %.1f s to restore a million",
                guarantee,
                without,
                byHand,
                with,
                with / without,
                disk,
                changelog,
                restore));
    }

    private double rate(Admin admin, String broker, String guarantee, Path files, Kind kind) throws Exception {
        try (StreamsApplication application =
                cleanup.start(() -> new StreamsApplication(admin, broker, guarantee, files, TOPIC, kind))) {
            return application.rate();
        }
    }

    private void write(Map<String, Figures> figures) throws IOException {
        Files.createDirectories(settings.results());
        Files.writeString(
                settings.results().resolve("streams.json"),
                Json.PRETTY.writeValueAsString(Map.of("machine", Machine.here(), "streams", figures)) + "\n",
                StandardCharsets.UTF_8);
        screen.say("results are in " + settings.results());
    }
}
