package io.idempotency.samples.demo;

import io.idempotency.samples.demo.Tally.Count;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** Everything that takes part in a run, set up and ready to go. */
record Stage(
        Broker broker,
        Database database,
        PaymentTopic topic,
        Ledger ledger,
        Outbox outbox,
        PaymentSource source,
        RelayKeeper relay,
        Crew crew,
        Chaos chaos) {

    /** The part of acknowledgments that is lost. */
    private static final double LOSS = 1.0 / 25;

    static Stage setUp(Settings settings, Screen screen, Cleanup cleanup, Path files, Path logs) throws Exception {
        screen.say("sending " + settings.messages() + " payments, seed " + settings.seed() + ", logs in " + logs);
        Database database = cleanup.start(() -> Database.start(Files.createDirectory(files.resolve("postgres"))));
        screen.say(database.describe());
        PaymentConsumer.createTables(database.dataSource());
        Broker broker = cleanup.start(() -> Broker.start(files.resolve("kafka"), LOSS, settings.seed()));
        PaymentTopic topic = cleanup.after(new PaymentTopic(broker.address()));
        topic.create();
        screen.say("Kafka broker at " + broker.address() + ", behind the lossy proxy at " + broker.lossyAddress());

        Ledger ledger = cleanup.after(new Ledger(files.resolve("ledger.csv")));
        DirectSender direct = cleanup.after(new DirectSender(broker.lossyAddress()));
        Outbox outbox = new Outbox(cleanup.after(Database.pool(database.url(), 2)));
        RelayKeeper relay = cleanup.after(new RelayKeeper(screen, logs, broker.address(), database.url()));
        Crew crew = cleanup.after(new Crew(screen, logs, broker.address(), database.url()));
        Chaos chaos = new Chaos(screen, crew);
        PaymentSource source = new PaymentSource(settings, screen, ledger, direct, outbox, chaos);
        return new Stage(broker, database, topic, ledger, outbox, source, relay, crew, chaos);
    }

    /** Returns the progress of the run as a line. */
    String progress() throws Exception {
        Tally tally = crew.tally();
        return String.format(
                Locale.ROOT,
                "sent %,d, lag %,d, %,d acks lost | %d consumers: processed %,d, skipped %,d redelivered + %,d re-sent,"
                        + " retried %d, transient %d, quarantined %d",
                source.sent(),
                topic.lag(),
                broker.droppedAcknowledgments(),
                crew.alive().size(),
                tally.get(Count.PROCESSED),
                tally.get(Count.REDELIVERIES),
                tally.get(Count.RESENDS),
                tally.get(Count.RETRIED),
                tally.get(Count.TRANSIENT),
                tally.get(Count.QUARANTINED));
    }
}
