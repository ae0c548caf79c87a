package io.idempotency.crash;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.database.Database;
import io.idempotency.jdbc.JdbcRanges;
import io.idempotency.jdbc.TestDatabase;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.util.FileSystemUtils;

/**
 * A topic is loaded into a folder by a process that is killed again and again. {@code -Dranges.rows=1000000 -Dranges.kills=20} takes as many as the documentation speaks
 * of.
 */
class RangeKillTest {

    private static final int ROWS = Integer.getInteger("ranges.rows", 50_000);
    private static final int KILLS = Integer.getInteger("ranges.kills", 3);

    private final long seed = Long.getLong("ranges.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private final String topic = "k" + UUID.randomUUID().toString().substring(0, 8);

    @Test
    @Tag("rule-13.2")
    void everyRowIsInTheFolderOnceHoweverOftenItsLoaderIsKilled() throws Exception {
        Path folder =
                Path.of(System.getProperty("basedir", "")).toAbsolutePath().resolve("target/kill-" + topic);
        Path sink = Files.createDirectories(folder.resolve("sink"));
        try (Servers servers = Servers.beside(Database.at(TestDatabase.POSTGRESQL.url()))) {
            send(servers.bootstrap());
            int killed = 0;
            ChildProcess loader = start(servers, folder, sink, killed);
            try {
                while (lines(sink) < ROWS) {
                    assertThat(loader.isAlive())
                            .as("seed %d: %s", seed, loader.said())
                            .isTrue();
                    Thread.sleep(1_000 + random.nextInt(3_000));
                    if (killed < KILLS) {
                        loader.kill();
                        killed++;
                        loader = start(servers, folder, sink, killed);
                    }
                }
                assertThat(loader.end()).as(loader.said()).isZero();
            } finally {
                loader.close();
            }
            System.out.printf("%d rows, %d kills, seed %d%n", ROWS, killed, seed);
            assertThat(JdbcRanges.on(servers.dataSource())
                            .tablePrefix(Ledger.PREFIX)
                            .open(topic))
                    .isEmpty();
            check(sink);
        } finally {
            FileSystemUtils.deleteRecursively(folder);
        }
    }

    private ChildProcess start(Servers servers, Path folder, Path sink, int number) {
        return ChildProcess.start(
                RangeLife.class,
                RangeLife.arguments(topic, RangeLife.Point.DONE, 3, servers.bootstrap(), sink),
                servers.environment(),
                folder.resolve("life-" + number));
    }

    /** One row in ten is sent twice. */
    private void send(String servers) throws ExecutionException, InterruptedException {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", servers))) {
            admin.createTopics(List.of(new NewTopic(topic, 3, (short) 1))).all().get();
        }
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", servers, "linger.ms", 20, "max.in.flight.requests.per.connection", 1),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            List<Future<?>> sent = new ArrayList<>();
            for (int row = 0; row < ROWS; row++) {
                byte[] id = String.valueOf(row).getBytes(StandardCharsets.UTF_8);
                for (int copy = random.nextInt(10) == 0 ? 0 : 1; copy < 2; copy++) {
                    ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, id, id);
                    record.headers().add("message-id", id);
                    sent.add(producer.send(record));
                }
            }
            for (Future<?> each : sent) {
                each.get();
            }
        }
    }

    private static List<Path> objects(Path sink) throws IOException {
        try (Stream<Path> all = Files.list(sink)) {
            return all.filter(path -> !path.toString().endsWith(".part")).toList();
        }
    }

    private static long lines(Path sink) throws IOException {
        long lines = 0;
        for (Path object : objects(sink)) {
            try (Stream<String> each = Files.lines(object)) {
                lines += each.count();
            }
        }
        return lines;
    }

    private void check(Path sink) throws IOException {
        BitSet seen = new BitSet();
        long rows = 0;
        for (Path object : objects(sink)) {
            for (String line : Files.readAllLines(object)) {
                seen.set(Integer.parseInt(line));
                rows++;
            }
        }
        assertThat(rows).as("rows, seed %d", seed).isEqualTo(ROWS);
        assertThat(seen.cardinality()).as("different rows, seed %d", seed).isEqualTo(ROWS);
    }
}
