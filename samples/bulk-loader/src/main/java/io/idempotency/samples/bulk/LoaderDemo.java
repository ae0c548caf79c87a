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
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import javax.sql.DataSource;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Loads a million rows with copies and poison into PostgreSQL, by the table, by the journal, and by hand. Poison is quarantined, and everything else is loaded. One kind of
 * poison is mended, and a replay loads it. At the end every row is counted.
 */
public final class LoaderDemo {

    private static final String TOPIC = "orders";
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
    private int copies;
    private int noJson;
    private int negative;

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
        screen.say("sending %,d rows".formatted(rows));
        send();
        DryRun dry = new DryRun(settings("dry", "byhand", "table"), line -> screen.say("dry run: " + line));
        if (dry.run()) {
            screen.problem("the dry run found no poison");
        }
        double byHand =
                new ByHand(settings("byhand", "byhand", "table"), dataSource).load(createTable("byhand"), rows());
        screen.say("by hand, COPY only: %,.0f rows a second".formatted(byHand));
        double journal = load("journal");
        double table = load("table");
        new Report()
                .heading("Rows a second")
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

    /** The records without the poison, but with their copies. */
    private int rows() {
        return rows + copies - noJson - negative;
    }

    private LoaderSettings settings(String name, String table, String store) {
        Properties properties = new Properties();
        properties.putAll(Map.of(
                "name",
                name,
                "kafka.bootstrap.servers",
                broker.address(),
                "topic",
                TOPIC,
                "jdbc.url",
                postgres.getJdbcUrl("postgres", "postgres"),
                "table",
                table,
                "columns",
                "id=/id, customer=/customer/name, cents=/cents",
                "store",
                store,
                "batch.time",
                "2s"));
        return LoaderSettings.of(properties);
    }

    private String createTable(String name) throws SQLException {
        execute("create table " + name + " (id uuid not null, customer text not null, cents bigint not null)");
        if (!name.equals("byhand")) {
            execute("alter table " + name + " add constraint " + name + "_positive check (cents >= 0)");
        }
        return name;
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

    /** Of each 20,000 rows, one is no JSON, and one has a negative amount, which the table refuses. One in 20 is sent twice. */
    private void send() throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.address()))) {
            admin.createTopics(List.of(new NewTopic(TOPIC, PARTITIONS, (short) 1)))
                    .all()
                    .get();
        }
        Map<String, Object> config =
                Map.of("bootstrap.servers", broker.address(), "linger.ms", 20, "batch.size", 200_000);
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (int i = 0; i < rows; i++) {
                UUID id = new UUID(
                        (random.nextLong() & ~0xF000L) | 0x4000L, (random.nextLong() >>> 2) | Long.MIN_VALUE);
                int kind = i % POISON_EVERY;
                noJson += kind == 7_000 ? 1 : 0;
                negative += kind == 14_000 ? 1 : 0;
                String value = kind == 7_000
                        ? "{\"id\":"
                        : "{\"id\":\"%s\",\"customer\":{\"name\":\"c%d\"},\"cents\":%d}"
                                .formatted(id, i % 1000, kind == 14_000 ? -1 : i % 10_000);
                boolean isTwice = kind != 7_000 && kind != 14_000 && i % COPY_EVERY == 0;
                copies += isTwice ? 1 : 0;
                for (int copy = 0; copy < (isTwice ? 2 : 1); copy++) {
                    ProducerRecord<byte[], byte[]> record =
                            new ProducerRecord<>(TOPIC, bytes("c" + i % 1000), bytes(value));
                    record.headers().add("message-id", bytes(id.toString()));
                    var unused = producer.send(record);
                }
            }
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Loads the topic, checks, mends, replays, and checks again. Returns rows a second of the load. */
    private double load(String store) throws Exception {
        String name = "by" + store;
        createTable(name);
        long expected = (long) rows - noJson - negative;
        double rate;
        try (BulkLoader loader = new BulkLoader(settings(name, name, store))) {
            Thread loading = new Thread(loader::run, "loader-" + store);
            long began = System.nanoTime();
            loading.start();
            Progress progress = loader.progress();
            await(
                    store + ": the load",
                    progress,
                    () -> progress.count(Outcome.PROCESSED) >= expected
                            && progress.count(Outcome.QUARANTINED) >= noJson + negative);
            rate = expected / ((System.nanoTime() - began) / 1e9);
            check(name, expected, noJson + negative);

            screen.say(store
                    + ": the rule that refused %d rows is taken back, and a replay asked for".formatted(negative));
            execute("alter table " + name + " drop constraint " + name + "_positive");
            JdbcReplays replays = JdbcReplays.on(dataSource);
            Replay replay = replays.request(
                    ReplayRequest.of(QuarantineSelection.of(name).failureType("org.postgresql.util.PSQLException"))
                            .perSecond(1000)
                            .by("demo", "negative amounts are refunds"));
            await(
                    store + ": the replay",
                    progress,
                    () -> replays.find(replay.request().id())
                            .filter(each -> each.status().hasEnded())
                            .isPresent());
            check(name, expected + negative, noJson);
        }
        return rate;
    }

    private void await(String what, Progress progress, BooleanSupplier isDone) throws InterruptedException {
        long began = System.nanoTime();
        for (int i = 1; !isDone.getAsBoolean(); i++) {
            if (System.nanoTime() - began > PATIENCE_NANOS) {
                throw new IllegalStateException(what + " does not end: " + progress.line());
            }
            Thread.sleep(200);
            if (i % 25 == 0) {
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
