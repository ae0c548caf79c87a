package io.idempotency.samples.services;

import io.idempotency.samples.demo.Broker;
import io.idempotency.samples.demo.Cleanup;
import io.idempotency.samples.demo.Screen;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where services run: databases and topics, started, and nodes that are not started yet. */
record Site(Databases databases, Topics topics, String broker, Services services) {

    static Site setUp(Settings settings, Screen screen, Cleanup cleanup) throws Exception {
        Path files = cleanup.temporary(settings.folder().resolve("run"));
        Path logs = settings.logs();
        Cleanup.delete(logs);
        Files.createDirectories(logs);
        screen.say("logs in " + logs);
        Databases databases = cleanup.start(
                () -> Databases.start(settings.folder().resolve("postgresql"), files.resolve("databases")));
        Broker broker = cleanup.start(() -> Broker.start(files.resolve("kafka"), 0, 0));
        Topics topics = cleanup.after(new Topics(broker.address()));
        topics.create();
        screen.say(databases.describe() + " and a Kafka broker have started");
        Services services = cleanup.after(new Services(settings, databases, broker.address(), files, logs));
        return new Site(databases, topics, broker.address(), services);
    }
}
