package io.idempotency.benchmarks;

import io.idempotency.samples.demo.Cleanup;
import io.idempotency.samples.demo.Screen;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The started parts of a run: broker, database, topics.
 *
 * @param warm the JVMs of contestants that go on to the next scenario
 */
record Stage(
        Settings settings, Screen screen, Database database, String broker, Topics topics, Map<String, Child> warm) {

    private static final List<String> BROKER_OPTIONS = List.of("-Xmx1g");

    static Stage setUp(Settings settings, Screen screen, Cleanup cleanup) throws Exception {
        Path files = cleanup.temporary(settings.folder().resolve("run"));
        Cleanup.delete(settings.logs());
        Files.createDirectories(settings.logs());
        Database database =
                cleanup.start(() -> Database.start(settings.folder().resolve("postgresql"), files.resolve("database")));
        screen.say(database.describe());
        Child broker = cleanup.start(() -> Child.start(
                "broker",
                settings.logs(),
                BROKER_OPTIONS,
                BrokerProcess.class,
                files.resolve("kafka").toString()));
        String address = broker.hear();
        Topics topics = cleanup.after(new Topics(address));
        screen.say("a Kafka broker at " + address + "; logs in " + settings.logs());
        return new Stage(settings, screen, database, address, topics, new HashMap<>());
    }

    /** Starts the JVM of a contestant. */
    Child contestant(String name, String contestant, String heap) throws IOException {
        List<String> options = new ArrayList<>();
        options.add("-Xmx" + heap);
        options.addAll(settings.jvmOptions(name));
        return Child.start(name, settings.logs(), options, Contestant.class, broker, database.url(), contestant);
    }
}
