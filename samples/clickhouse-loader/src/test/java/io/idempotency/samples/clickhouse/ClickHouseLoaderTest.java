package io.idempotency.samples.clickhouse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.kafka.test.EmbeddedKafkaKraftBroker;

/**
 * A loader that is killed again and again, on a real server. {@code -Dclickhouse.rows=1000000 -Dclickhouse.kills=20} takes as many as the documentation speaks of.
 */
class ClickHouseLoaderTest {

    private static final int ROWS = Integer.getInteger("clickhouse.rows", 30_000);
    private static final int KILLS = Integer.getInteger("clickhouse.kills", 2);

    private static final String TABLE = """
            create table events (id String, customer String, cents Int64)
            engine = ReplicatedMergeTree('/clickhouse/tables/events', 'r1') partition by tuple() order by id
            settings replicated_deduplication_window = 10000
            """;

    private final long seed = Long.getLong("clickhouse.seed", System.nanoTime());
    private final Random random = new Random(seed);

    @Test
    @Timeout(1800)
    void everyMessageIsThereOnceHoweverOftenItsLoaderIsKilled(@TempDir Path folder) throws Exception {
        assumeTrue(Server.missing().isEmpty(), () -> Server.missing().orElseThrow());
        EmbeddedKafkaKraftBroker broker = new EmbeddedKafkaKraftBroker(1, 3, "events");
        broker.brokerProperties(
                Map.of("group.min.session.timeout.ms", "1000", "group.initial.rebalance.delay.ms", "0"));
        broker.afterPropertiesSet();
        try (EmbeddedPostgres postgres = EmbeddedPostgres.start();
                Server server = Server.start(folder)) {
            ClickHouse client = new ClickHouse(server.url());
            client.query(TABLE);
            long sent = send(broker.getBrokersAsString());
            int killed = 0;
            Process loader = start(folder, postgres, broker, server);
            try {
                while (count(client, "count()") < ROWS || killed < KILLS) {
                    assertThat(loader.isAlive()).as("seed %d", seed).isTrue();
                    TimeUnit.MILLISECONDS.sleep(1_500 + random.nextInt(2_500));
                    if (killed < KILLS) {
                        loader.destroyForcibly().waitFor();
                        killed++;
                        loader = start(folder, postgres, broker, server);
                    }
                }
                // It may still write again what a killed one has written.
                await().atMost(Duration.ofMinutes(2)).until(() -> settled(broker.getBrokersAsString()) == sent);
            } finally {
                loader.destroyForcibly();
            }
            System.out.printf("%d rows, %d kills, seed %d%n", ROWS, killed, seed);
            assertThat(count(client, "count()")).as("seed %d", seed).isEqualTo(ROWS);
            assertThat(count(client, "uniqExact(id)")).as("seed %d", seed).isEqualTo(ROWS);
        } finally {
            broker.destroy();
        }
    }

    private static long count(ClickHouse client, String what) throws IOException, InterruptedException {
        return Long.parseLong(client.query("select " + what + " from events"));
    }

    private static Process start(Path folder, EmbeddedPostgres postgres, EmbeddedKafkaKraftBroker broker, Server server)
            throws IOException {
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:TieredStopAtLevel=1",
                ClickHouseLoader.class.getName(),
                postgres.getJdbcUrl("postgres", "postgres"),
                broker.getBrokersAsString(),
                "events",
                server.url(),
                "events");
        builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        return builder.redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        folder.resolve("loader.log").toFile()))
                .start();
    }

    /** Returns how many records the group of the loader has committed. */
    private static long settled(String servers) throws ExecutionException, InterruptedException {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", servers))) {
            return admin
                    .listConsumerGroupOffsets("clickhouse-loader")
                    .partitionsToOffsetAndMetadata()
                    .get()
                    .values()
                    .stream()
                    .mapToLong(OffsetAndMetadata::offset)
                    .sum();
        }
    }

    /** One message in ten is sent twice. Returns the number of records. */
    private long send(String servers) throws ExecutionException, InterruptedException {
        List<Future<?>> sent = new ArrayList<>();
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", servers, "linger.ms", 20, "max.in.flight.requests.per.connection", 1),
                new StringSerializer(),
                new StringSerializer())) {
            for (int row = 0; row < ROWS; row++) {
                String id = "event " + row;
                for (int copy = random.nextInt(10) == 0 ? 0 : 1; copy < 2; copy++) {
                    ProducerRecord<String, String> record = new ProducerRecord<>(
                            "events",
                            id,
                            "{\"id\":\"%s\",\"customer\":\"c%d\",\"cents\":%d}".formatted(id, row % 100, row));
                    record.headers().add("message-id", id.getBytes(StandardCharsets.UTF_8));
                    sent.add(producer.send(record));
                }
            }
            for (Future<?> each : sent) {
                each.get();
            }
        }
        return sent.size();
    }
}
