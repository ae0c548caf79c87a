package io.idempotency.benchmarks;

import io.idempotency.jdbc.JdbcOutbox;
import io.idempotency.jdbc.JdbcTransactions;
import io.idempotency.outbox.Outbox;
import io.idempotency.outbox.OutboxRelay;
import io.idempotency.samples.demo.Cleanup;
import io.idempotency.samples.demo.Screen;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.commons.math3.stat.descriptive.rank.Percentile;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.springframework.jdbc.core.JdbcTemplate;

/**
 * Measures relays of an outbox, in one process: how many outputs a second each sends from a full outbox, and how long an output takes from its commit until a consumer has
 * it, at a hundred a second. The relays take turns.
 */
final class OutboxBenchmark {

    private static final int PARTITIONS = 6;
    private static final int WAITING = 100_000;
    private static final int KEYS = 1_000;
    private static final int AT_A_TIME = 1_000;
    private static final long PACE_NANOS = 10_000_000;
    private static final Duration LATENCY_TIME = Duration.ofSeconds(10);

    private final Settings settings;
    private final Cleanup cleanup;
    private final Screen screen;

    OutboxBenchmark(Settings settings, Cleanup cleanup, Screen screen) {
        this.settings = settings;
        this.cleanup = cleanup;
        this.screen = screen;
    }

    /**
     * The figures of a relay.
     *
     * @param perSecond outputs a second, in each round
     * @param p50 median of milliseconds from the commit until a consumer has the record, in each round
     */
    record Figures(List<Double> perSecond, List<Double> p50, List<Double> p99) {}

    /** A relay that runs, and how to add outputs for it. */
    private interface Contestant extends AutoCloseable {

        /** Adds an output, in a transaction of its own. */
        void add(String key, String value);

        /** Fills the outbox. */
        void fill(int outputs);

        /** Returns how many outputs wait. */
        long waiting();

        void start();

        @Override
        void close();
    }

    void run() throws Exception {
        Stage stage = Stage.setUp(settings, screen, cleanup);
        Map<String, Figures> figures = new LinkedHashMap<>();
        for (int round = 0; round <= settings.runs(); round++) {
            for (String name : List.of(
                    "library", "library-notified", "library-looking", "polling-in-batches", "polling-one-by-one")) {
                double perSecond = drained(stage, name);
                double[] latency = latencies(stage, name);
                double p50 = new Percentile().evaluate(latency, 50);
                double p99 = new Percentile().evaluate(latency, 99);
                screen.say(String.format(
                        Locale.ROOT, "%s: %,.0f a second, p50 %.1f ms, p99 %.1f ms", name, perSecond, p50, p99));
                if (round > 0) {
                    Figures all = figures.computeIfAbsent(
                            name, none -> new Figures(new ArrayList<>(), new ArrayList<>(), new ArrayList<>()));
                    all.perSecond().add(perSecond);
                    all.p50().add(p50);
                    all.p99().add(p99);
                }
            }
        }
        write(figures);
    }

    private void write(Map<String, Figures> figures) throws IOException {
        Files.createDirectories(settings.results());
        Files.writeString(
                settings.results().resolve("outbox.json"),
                Json.PRETTY.writeValueAsString(Map.of("machine", Machine.here(), "relays", figures)) + "\n",
                StandardCharsets.UTF_8);
        screen.say("results are in " + settings.results());
    }

    private static String topic(Stage stage) throws ExecutionException, InterruptedException {
        String topic = "outbox-" + System.nanoTime();
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", stage.broker()))) {
            admin.createTopics(List.of(new NewTopic(topic, PARTITIONS, (short) 1)))
                    .all()
                    .get();
        }
        return topic;
    }

    private double drained(Stage stage, String name) throws Exception {
        stage.database().empty();
        try (Contestant contestant = contestant(stage, name, topic(stage))) {
            contestant.fill(WAITING);
            stage.database().checkpoint();
            long begin = System.nanoTime();
            contestant.start();
            long end = begin + Math.round(4 * settings.seconds() * 1e9);
            long waiting = WAITING;
            while (waiting > 0 && System.nanoTime() < end) {
                TimeUnit.MILLISECONDS.sleep(100);
                waiting = contestant.waiting();
            }
            return (WAITING - waiting) / ((System.nanoTime() - begin) / 1e9);
        }
    }

    private double[] latencies(Stage stage, String name) throws Exception {
        stage.database().empty();
        String topic = topic(stage);
        Map<String, Long> committed = new ConcurrentHashMap<>();
        Map<String, Long> received = new HashMap<>();
        int outputs = (int) (LATENCY_TIME.toNanos() / PACE_NANOS);
        try (Contestant contestant = contestant(stage, name, topic);
                KafkaConsumer<String, String> consumer = new KafkaConsumer<>(
                        Map.of("bootstrap.servers", stage.broker(), "fetch.max.wait.ms", 5),
                        new StringDeserializer(),
                        new StringDeserializer())) {
            List<TopicPartition> partitions = new ArrayList<>();
            for (int i = 0; i < PARTITIONS; i++) {
                partitions.add(new TopicPartition(topic, i));
            }
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            contestant.start();
            Thread adding = new Thread(() -> add(contestant, outputs, committed), "adding");
            adding.start();
            while (received.size() < outputs) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(50))) {
                    received.putIfAbsent(record.value(), System.nanoTime());
                }
            }
            adding.join();
        }
        return received.entrySet().stream()
                .mapToDouble(each ->
                        Math.max(0, each.getValue() - Objects.requireNonNull(committed.get(each.getKey()))) / 1e6)
                .toArray();
    }

    private static void add(Contestant contestant, int outputs, Map<String, Long> committed) {
        long next = System.nanoTime();
        for (int i = 0; i < outputs; i++) {
            next += PACE_NANOS;
            LockSupport.parkNanos(next - System.nanoTime());
            contestant.add("key " + i % KEYS, "value " + i);
            committed.put("value " + i, System.nanoTime());
        }
    }

    private static Contestant contestant(Stage stage, String name, String topic) {
        return switch (name) {
            case "library" -> new OfLibrary(stage, topic, Woken.BY_COMMITS);
            case "library-notified" -> new OfLibrary(stage, topic, Woken.BY_NOTIFICATIONS);
            case "library-looking" -> new OfLibrary(stage, topic, Woken.BY_NOBODY);
            case "polling-in-batches" -> new Polling(stage, topic, AT_A_TIME, false);
            default -> new Polling(stage, topic, 100, true);
        };
    }

    /** Who wakes the library's relay. */
    private enum Woken {
        /** As in the process that adds. */
        BY_COMMITS,
        /** As in another process, on PostgreSQL. */
        BY_NOTIFICATIONS,
        /** As in another process, on other databases: it looks twice a second. */
        BY_NOBODY
    }

    /** The library's relay. */
    private static final class OfLibrary implements Contestant {

        private final String topic;
        private final JdbcOutbox store;
        private final JdbcTransactions transactions;
        private final OutboxRelay.Builder builder;
        private volatile OutboxRelay relay;
        private final Outbox<String, String> outbox;

        OfLibrary(Stage stage, String topic, Woken woken) {
            this.topic = topic;
            this.store = JdbcOutbox.on(stage.database().pool());
            this.transactions = JdbcTransactions.on(stage.database().pool());
            this.builder = OutboxRelay.of(store, Map.of("bootstrap.servers", stage.broker()))
                    .listening(woken == Woken.BY_NOTIFICATIONS);
            this.relay = builder.build();
            Outbox<String, String> announcing = Outbox.of(store, new StringSerializer(), new StringSerializer());
            this.outbox = switch (woken) {
                case BY_COMMITS -> announcing.waking(() -> relay.wake());
                case BY_NOTIFICATIONS -> announcing;
                case BY_NOBODY -> announcing.waking(() -> {});
            };
        }

        @Override
        public void add(String key, String value) {
            transactions.inTransaction(() -> outbox.send(topic, key, value));
        }

        @Override
        public void fill(int outputs) {
            for (int i = 0; i < outputs; i += AT_A_TIME) {
                List<ProducerRecord<String, String>> some = new ArrayList<>();
                for (int j = i; j < Math.min(outputs, i + AT_A_TIME); j++) {
                    some.add(new ProducerRecord<>(topic, "key " + j % KEYS, "value " + j));
                }
                transactions.inTransaction(() -> outbox.sendAll(null, some));
            }
        }

        @Override
        public long waiting() {
            return store.total().waiting();
        }

        @Override
        public void start() {
            relay.close();
            relay = builder.start();
        }

        @Override
        public void close() {
            relay.close();
        }
    }

    /**
     * A relay as people write it: every half second it selects the first rows, sends them, and deletes them. It sends one by one and waits for each, or all together.
     */
    private static final class Polling implements Contestant {

        private static final int PAUSE_MILLIS = 500;

        private final JdbcTemplate jdbc;
        private final JdbcTransactions transactions;
        private final KafkaProducer<String, String> producer;
        private final String topic;
        private final int batch;
        private final boolean isOneByOne;
        private volatile boolean isClosed;
        private final Thread thread = new Thread(this::run, "polling-relay");

        Polling(Stage stage, String topic, int batch, boolean isOneByOne) {
            this.transactions = JdbcTransactions.on(stage.database().pool());
            this.jdbc = new JdbcTemplate(transactions.dataSource());
            this.producer = new KafkaProducer<>(
                    Map.of("bootstrap.servers", stage.broker()), new StringSerializer(), new StringSerializer());
            this.topic = topic;
            this.batch = batch;
            this.isOneByOne = isOneByOne;
            jdbc.execute(
                    "create table if not exists own_outbox (id bigint generated always as identity primary key, message_key text, message_value text)");
        }

        @Override
        public void add(String key, String value) {
            transactions.inTransaction(
                    () -> jdbc.update("insert into own_outbox (message_key, message_value) values (?, ?)", key, value));
        }

        @Override
        public void fill(int outputs) {
            jdbc.update(
                    "insert into own_outbox (message_key, message_value) select 'key ' || i % ?, 'value ' || i from generate_series(0, ?) i",
                    KEYS, outputs - 1);
        }

        @Override
        public long waiting() {
            return Objects.requireNonNull(jdbc.queryForObject("select count(*) from own_outbox", Long.class));
        }

        private record Row(long id, String key, String value) {}

        private void run() {
            while (!isClosed) {
                int[] sent = new int[1];
                transactions.inTransaction(() -> sent[0] = sendSome());
                // A full batch is followed at once, or it could never catch up.
                if (sent[0] < batch) {
                    LockSupport.parkNanos(PAUSE_MILLIS * 1_000_000L);
                }
            }
        }

        private int sendSome() {
            List<Row> rows = jdbc.query(
                    "select id, message_key, message_value from own_outbox order by id limit ? for update skip locked",
                    (row, number) -> new Row(row.getLong(1), row.getString(2), row.getString(3)),
                    batch);
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (Row row : rows) {
                Future<RecordMetadata> future = producer.send(new ProducerRecord<>(topic, row.key(), row.value()));
                sent.add(future);
                if (isOneByOne) {
                    await(future);
                }
            }
            sent.forEach(Polling::await);
            jdbc.batchUpdate(
                    "delete from own_outbox where id = ?",
                    rows.stream().map(row -> new Object[] {row.id()}).toList());
            return rows.size();
        }

        private static void await(Future<RecordMetadata> sent) {
            try {
                sent.get();
            } catch (InterruptedException | ExecutionException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void start() {
            thread.start();
        }

        @Override
        public void close() {
            isClosed = true;
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            producer.close();
        }
    }
}
