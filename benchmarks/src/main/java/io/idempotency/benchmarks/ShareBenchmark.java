package io.idempotency.benchmarks;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.jdbc.JdbcQuarantine;
import io.idempotency.jdbc.JdbcTransactions;
import io.idempotency.jdbc.TableStore;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.ShareLoop;
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
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Measures the members of a share group in one process, each message in its own transaction: a share loop of the library, and the loop that people write, with a table of ids of their
 * own and without one. The library's loop takes part with its default, 8 records of a member at a time, and with 32. All take turns.
 */
final class ShareBenchmark {

    private static final Topic TOPIC = new Topic("shared", 4, 60_000, Topic.Ids.NEW);
    private static final int MEMBERS = 4;

    private final Settings settings;
    private final Cleanup cleanup;
    private final Screen screen;

    ShareBenchmark(Settings settings, Cleanup cleanup, Screen screen) {
        this.settings = settings;
        this.cleanup = cleanup;
        this.screen = screen;
    }

    void run() throws Exception {
        Stage stage = Stage.setUp(settings, screen, cleanup);
        stage.topics().require(TOPIC);
        Map<String, List<Double>> figures = new LinkedHashMap<>();
        for (int round = 0; round <= settings.runs(); round++) {
            for (String name : List.of("library", "library-32", "by-hand-with-ids", "by-hand-without-ids")) {
                if (!settings.isWanted(name)) {
                    continue;
                }
                double perSecond = rate(stage, name);
                screen.say(String.format(Locale.ROOT, "%s: %,.0f a second", name, perSecond));
                // The first round warms up.
                if (round > 0) {
                    figures.computeIfAbsent(name, none -> new ArrayList<>()).add(perSecond);
                }
            }
        }
        write(figures);
    }

    private void write(Map<String, List<Double>> figures) throws IOException {
        Files.createDirectories(settings.results());
        Files.writeString(
                settings.results().resolve("share.json"),
                Json.PRETTY.writeValueAsString(Map.of("machine", Machine.here(), "perSecond", figures)) + "\n",
                StandardCharsets.UTF_8);
        screen.say("results are in " + settings.results());
    }

    /** Returns messages a second, from the first effect until the end of the time of a measurement. */
    private double rate(Stage stage, String name) throws Exception {
        stage.database().empty();
        stage.database().checkpoint();
        AtomicLong handled = new AtomicLong();
        try (HikariDataSource pool = new HikariDataSource()) {
            pool.setJdbcUrl(stage.database().url());
            Running contestant = start(pool, name, group(stage), handled);
            try {
                while (handled.get() == 0) {
                    Thread.sleep(10);
                }
                long before = handled.get();
                long began = System.nanoTime();
                Thread.sleep(Math.round(settings.seconds() * 1e3));
                return (handled.get() - before) / ((System.nanoTime() - began) / 1e9);
            } finally {
                contestant.end();
            }
        }
    }

    private static Map<String, Object> group(Stage stage) throws ExecutionException, InterruptedException {
        String group = "share-" + System.nanoTime();
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", stage.broker()))) {
            admin.incrementalAlterConfigs(Map.of(
                            new ConfigResource(ConfigResource.Type.GROUP, group),
                            List.of(new AlterConfigOp(
                                    new ConfigEntry("share.auto.offset.reset", "earliest"), AlterConfigOp.OpType.SET))))
                    .all()
                    .get();
        }
        Map<String, Object> properties = new HashMap<>();
        properties.put("bootstrap.servers", stage.broker());
        properties.put("group.id", group);
        properties.put("key.deserializer", ByteArrayDeserializer.class);
        properties.put("value.deserializer", ByteArrayDeserializer.class);
        return properties;
    }

    /** Members that run. */
    private interface Running {

        void end() throws InterruptedException;
    }

    private static Running start(DataSource pool, String name, Map<String, Object> properties, AtomicLong handled) {
        if (name.startsWith("library")) {
            if (name.equals("library-32")) {
                properties.put("max.poll.records", 32);
            }
            return library(pool, new Effects(JdbcTransactions.on(pool).dataSource()), properties, handled);
        }
        TransactionTemplate inTransaction = new TransactionTemplate(new JdbcTransactionManager(pool));
        Effects effects = new Effects(pool);
        Consumer<ConsumerRecord<byte[], byte[]>> handler = name.equals("by-hand-with-ids")
                ? new Peers(pool, inTransaction, effects).handWritten()
                : record -> inTransaction.executeWithoutResult(status -> effects.one(record));
        return new ByHand(properties, record -> {
            handler.accept(record);
            handled.incrementAndGet();
        });
    }

    private static Running library(
            DataSource pool, Effects effects, Map<String, Object> properties, AtomicLong handled) {
        ShareLoop<byte[], byte[]> loop = ShareLoop.of(
                        KafkaRecords.<byte[], byte[]>consumer("share")
                                .store(TableStore.builder(pool).build())
                                .quarantine(JdbcQuarantine.on(pool))
                                .build(),
                        (record, claim) -> {
                            effects.one(record);
                            handled.incrementAndGet();
                        })
                .properties(properties)
                .topics(TOPIC.name())
                .members(MEMBERS)
                .build();
        Thread thread = new Thread(loop, "library");
        thread.start();
        return () -> {
            loop.close();
            thread.join();
        };
    }

    /** The loop that people write: Kafka accepts the records of a poll, at most 500, when the next one begins. */
    private static final class ByHand implements Running {

        private final List<Thread> threads = new ArrayList<>();
        private volatile boolean isClosed;

        ByHand(Map<String, Object> properties, Consumer<ConsumerRecord<byte[], byte[]>> handler) {
            for (int i = 0; i < MEMBERS; i++) {
                Thread thread = new Thread(() -> run(properties, handler), "by-hand-" + i);
                threads.add(thread);
                thread.start();
            }
        }

        private void run(Map<String, Object> properties, Consumer<ConsumerRecord<byte[], byte[]>> handler) {
            try (KafkaShareConsumer<byte[], byte[]> consumer = new KafkaShareConsumer<>(properties)) {
                consumer.subscribe(List.of(TOPIC.name()));
                while (!isClosed) {
                    for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
                        handler.accept(record);
                    }
                }
            }
        }

        @Override
        public void end() throws InterruptedException {
            isClosed = true;
            for (Thread thread : threads) {
                thread.join();
            }
        }
    }
}
