package io.idempotency.samples.plain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.h2.jdbcx.JdbcConnectionPool;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.kafka.test.EmbeddedKafkaKraftBroker;

class ObjectLoaderTest {

    private static final int MESSAGES = 1_000;

    @Test
    void loadsAMessageThatIsSentTwiceOnce(@TempDir Path folder) throws Exception {
        EmbeddedKafkaKraftBroker broker = new EmbeddedKafkaKraftBroker(1, 2, "events");
        broker.afterPropertiesSet();
        JdbcConnectionPool pool = JdbcConnectionPool.create("jdbc:h2:mem:objects;DB_CLOSE_DELAY=-1", "sa", "");
        Map<String, Object> kafka = LedgerProgram.kafka(broker.getBrokersAsString());
        try (ObjectLoader loader = new ObjectLoader(pool, kafka, "events", folder)) {
            send(broker.getBrokersAsString());
            new Thread(loader::run, "loader").start();
            await().atMost(Duration.ofSeconds(30)).until(() -> lines(folder).size() >= MESSAGES);

            send(broker.getBrokersAsString());
            send(broker.getBrokersAsString(), "last");
            await().atMost(Duration.ofSeconds(30)).until(() -> lines(folder).contains("last"));
            await().atMost(Duration.ofSeconds(30)).until(() -> lines(folder).size() >= MESSAGES + 1);

            List<String> lines = lines(folder);
            assertThat(lines).hasSize(MESSAGES + 1);
            assertThat(new HashSet<>(lines)).hasSize(MESSAGES + 1);
        } finally {
            pool.dispose();
            broker.destroy();
        }
    }

    private static List<String> lines(Path folder) throws IOException {
        List<String> lines = new ArrayList<>();
        try (Stream<Path> objects = Files.list(folder)) {
            for (Path object : objects.filter(
                            path -> !path.getFileName().toString().startsWith("."))
                    .toList()) {
                lines.addAll(Files.readAllLines(object));
            }
        }
        return lines;
    }

    private static void send(String servers) throws ExecutionException, InterruptedException {
        String[] ids = new String[MESSAGES];
        for (int i = 0; i < MESSAGES; i++) {
            ids[i] = "event " + i;
        }
        send(servers, ids);
    }

    private static void send(String servers, String... ids) throws ExecutionException, InterruptedException {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", servers, "max.in.flight.requests.per.connection", 1),
                new StringSerializer(),
                new StringSerializer())) {
            List<Future<?>> sent = new ArrayList<>();
            for (String id : ids) {
                ProducerRecord<String, String> record = new ProducerRecord<>("events", id, id);
                record.headers().add("message-id", id.getBytes(StandardCharsets.UTF_8));
                sent.add(producer.send(record));
            }
            for (Future<?> each : sent) {
                each.get();
            }
        }
    }
}
