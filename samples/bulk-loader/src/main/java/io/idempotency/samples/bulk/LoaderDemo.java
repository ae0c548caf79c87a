package io.idempotency.samples.bulk;

import io.idempotency.Outcome;
import io.idempotency.jdbc.JdbcQuarantine;
import io.idempotency.jdbc.JdbcReplays;
import io.idempotency.replay.Replay;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.samples.demo.Broker;
import io.idempotency.samples.demo.Cleanup;
import io.idempotency.samples.demo.Report;
import io.idempotency.samples.demo.Screen;
import io.idempotency.store.QuarantineSelection;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;
import javax.sql.DataSource;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Loads a million rows with copies into PostgreSQL, by hand, by the journal and by the table, and a hundred thousand with poison among them. Poison is quarantined, and
 * everything else is loaded. One kind of poison is mended, and a replay loads it. After each step every row is counted.
 */
public final class LoaderDemo {

    private static final String CLEAN = "clean";
    private static final String POISONED = "poisoned";
    private static final int PARTITIONS = 3;
    private static final int POISON_EVERY = 20_000;
    private static final int COPY_EVERY = 20;
    private static final long PATIENCE_NANOS = 600_000_000_000L;

    private final int rows = Integer.getInteger("rows", 1_000_000);
    private final Random random = new Random(Long.getLong("seed", 20261129));
    private final Screen screen = new Screen();
    private final Broker broker;
    private final EmbeddedPostgres postgres;
    private final DataSource dataSource;

    /** What was sent. */
    private record Sent(int rows, int copies, int noJson, int negative) {

        int loadable() {
            return rows - noJson - negative;
        }
    }

    private LoaderDemo(Broker broker, EmbeddedPostgres postgres) {
        this.broker = broker;
        this.postgres = postgres;
        this.dataSource = postgres.getPostgresDatabase();
    }

    /** Runs the demo; {@code -Drows=} and {@code -Dseed=} change it. */
    public static void main(String[] args) {
        Cleanup cleanup = new Cleanup();
        boolean isGood = false;
        try {
            Path folder = cleanup.temporary(Path.of(System.getProperty("demo.folder")));
            Broker broker = cleanup.start(() -> Broker.start(folder.resolve("kafka"), 0, 1));
            EmbeddedPostgres postgres = cleanup.start(() -> EmbeddedPostgres.builder()
                    .setOverrideWorkingDirectory(folder.resolve("binaries").toFile())
                    .setDataDirectory(folder.resolve("postgresql"))
                    .setCleanDataDirectory(true)
                    .setRegisterShutdownHook(false)
                    .setServerConfig("fsync", "on")
                    .setServerConfig("synchronous_commit", "on")
                    .setServerConfig("max_wal_size", "4GB")
                    .start());
            isGood = new LoaderDemo(broker, postgres).run();
        } catch (Throwable e) {
            if (!cleanup.isClosed()) {
                e.printStackTrace();
            }
        } finally {
            cleanup.close();
        }
        System.out.println(isGood ? "PASSED" : "FAILED: see what is named PROBLEM above");
        System.out.flush();
        System.exit(isGood ? 0 : 1);
    }

    private boolean run() throws Exception {
        screen.say("sending %,d rows, and %,d with poison".formatted(rows, rows / 10));
        Sent clean = send(CLEAN, rows, false);
        Sent poisoned = send(POISONED, rows / 10, true);
        if (new DryRun(settings("dry", POISONED, "table"), line -> screen.say("dry run: " + line)).run()) {
            screen.problem("the dry run found no poison");
        }
        createTable("byhand");
        double byHand = new ByHand(settings("byhand", CLEAN, "table"), dataSource)
                .load("byhand", clean.rows() + clean.copies());
        screen.say("by hand: %,.0f rows a second".formatted(byHand));
        double journal = load("clean_journal", CLEAN, clean);
        double table = load("clean_table", CLEAN, clean);
        load("poisoned_journal", POISONED, poisoned);
        load("poisoned_table", POISONED, poisoned);
        new Report()
                .heading("Rows a second, copies included")
                .row("a loop by hand: the same parsing and COPY, without ids", Math.round(byHand))
                .row("the loader with the journal", Math.round(journal))
                .row("the loader with the table", Math.round(table))
                .print();
        screen.say(String.format(
                Locale.ROOT,
                "of the rate by hand: %.2f with the journal, %.2f with the table",
                journal / byHand,
                table / byHand));
        return screen.problems().isEmpty();
    }

    /** The name is that of the consumer and of the table. */
    private LoaderSettings settings(String name, String topic, String store) {
        Properties properties = new Properties();
        properties.putAll(Map.of(
                "name",
                name,
                "kafka.bootstrap.servers",
                broker.address(),
                "topic",
                topic,
                "jdbc.url",
                postgres.getJdbcUrl("postgres", "postgres"),
                "table",
                name,
                "columns",
                "id=/id, customer=/customer/name, cents=/cents",
                "store",
                store,
                "batch.time",
                "2s"));
        return LoaderSettings.of(properties);
    }

    private void createTable(String name) throws SQLException {
        execute("create table " + name
                + " (id uuid not null, customer text not null, cents bigint not null, constraint " + name
                + "_positive check (cents >= 0))");
    }

    private void execute(String sql) throws SQLException {
        try (Connection connection = dataSource.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private long number(String query) throws SQLException {
        try (Connection connection = dataSource.getConnection();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(query)) {
            result.next();
            return result.getLong(1);
        }
    }

    /** One row in 20 is sent twice. With poison, of each 20,000 rows one is no JSON, and one has a negative amount, which the table refuses. */
    private Sent send(String topic, int number, boolean isPoisoned) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.address()))) {
            admin.createTopics(List.of(new NewTopic(topic, PARTITIONS, (short) 1)))
                    .all()
                    .get();
        }
        int copies = 0;
        int noJson = 0;
        int negative = 0;
        Map<String, Object> config = Map.of(
                "bootstrap.servers",
                broker.address(),
                "linger.ms",
                20,
                "batch.size",
                200_000,
                "max.in.flight.requests.per.connection",
                1);
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            List<Future<?>> sent = new ArrayList<>();
            for (int i = 0; i < number; i++) {
                UUID id =
                        new UUID((random.nextLong() & ~0xF000L) | 0x4000L, (random.nextLong() >>> 2) | Long.MIN_VALUE);
                boolean isNoJson = isPoisoned && i % POISON_EVERY == 7_000;
                boolean isNegative = isPoisoned && i % POISON_EVERY == 14_000;
                boolean isTwice = !isNoJson && !isNegative && i % COPY_EVERY == 0;
                noJson += isNoJson ? 1 : 0;
                negative += isNegative ? 1 : 0;
                copies += isTwice ? 1 : 0;
                String value = isNoJson
                        ? "{\"id\":"
                        : "{\"id\":\"%s\",\"customer\":{\"name\":\"c%d\"},\"cents\":%d}"
                                .formatted(id, i % 1000, isNegative ? -1 : i % 10_000);
                for (int copy = 0; copy < (isTwice ? 2 : 1); copy++) {
                    ProducerRecord<byte[], byte[]> record =
                            new ProducerRecord<>(topic, bytes("c" + i % 1000), bytes(value));
                    record.headers().add("message-id", bytes(id.toString()));
                    sent.add(producer.send(record));
                }
            }
            for (Future<?> each : sent) {
                each.get();
            }
        }
        return new Sent(number, copies, noJson, negative);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Loads a topic and checks; with poison, mends, replays, and checks again. Returns records a second of the load. */
    private double load(String name, String topic, Sent sent) throws Exception {
        createTable(name);
        double rate;
        try (BulkLoader loader = new BulkLoader(settings(name, topic, name.substring(name.indexOf('_') + 1)))) {
            long began = System.nanoTime();
            new Thread(loader::run, "loader-" + name).start();
            Progress progress = loader.progress();
            await(
                    name + ": the load",
                    progress,
                    () -> progress.count(Outcome.PROCESSED) + progress.count(Outcome.DUPLICATE)
                                    >= sent.loadable() + sent.copies()
                            && progress.count(Outcome.QUARANTINED) >= sent.noJson() + sent.negative());
            rate = (sent.loadable() + sent.copies()) / ((System.nanoTime() - began) / 1e9);
            screen.say("%s: %,.0f rows a second".formatted(name, rate));
            check(name, sent.loadable(), sent.noJson() + sent.negative());
            if (sent.negative() > 0) {
                replay(name, sent, progress);
            }
        }
        return rate;
    }

    private void replay(String name, Sent sent, Progress progress) throws Exception {
        screen.say("%s: the rule that refused %d rows is taken back, and a replay asked for"
                .formatted(name, sent.negative()));
        execute("alter table " + name + " drop constraint " + name + "_positive");
        JdbcReplays replays = JdbcReplays.on(dataSource);
        Replay replay = replays.request(
                ReplayRequest.of(QuarantineSelection.of(name).failureType("org.postgresql.util.PSQLException"))
                        .perSecond(1000)
                        .by("demo", "negative amounts are refunds"));
        await(
                name + ": the replay",
                progress,
                () -> replays.find(replay.request().id())
                        .filter(each -> each.status().hasEnded())
                        .isPresent());
        check(name, sent.loadable() + sent.negative(), sent.noJson());
    }

    private void await(String what, Progress progress, BooleanSupplier isDone) throws InterruptedException {
        long began = System.nanoTime();
        for (int i = 1; !isDone.getAsBoolean(); i++) {
            if (System.nanoTime() - began > PATIENCE_NANOS) {
                throw new IllegalStateException(what + " does not end: " + progress.line());
            }
            Thread.sleep(20);
            if (i % 250 == 0) {
                screen.say(what + ": " + progress.line());
            }
        }
    }

    private void check(String table, long expected, long quarantined) throws SQLException {
        long count = number("select count(*) from " + table);
        long distinct = number("select count(distinct id) from " + table);
        long kept = JdbcQuarantine.on(dataSource)
                .count(QuarantineSelection.of(table))
                .messages();
        screen.say("%s: %,d rows, lost=%d double=%d quarantined=%d"
                .formatted(table, count, expected - distinct, count - distinct, kept));
        if (count != expected || distinct != expected || kept != quarantined) {
            screen.problem("expected %,d rows, each once, and %d in quarantine".formatted(expected, quarantined));
        }
    }
}
