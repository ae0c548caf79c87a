package io.idempotency.samples.bulk;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.idempotency.Outcome;
import io.idempotency.jdbc.JdbcQuarantine;
import io.idempotency.samples.demo.Broker;
import io.idempotency.store.MessageId;
import io.idempotency.store.QuarantinedMessage;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Future;
import javax.sql.DataSource;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.jdbc.core.JdbcTemplate;

/** A load from a real broker into a real PostgreSQL, in each format. */
class BulkLoaderTest {

    private static final int ORDERS = 300;
    private static final List<Integer> POISON = List.of(17, 150);

    @TempDir
    private static Path folder;

    private static Broker broker;
    private static EmbeddedPostgres postgres;

    @BeforeAll
    static void start() throws Exception {
        broker = Broker.start(folder.resolve("kafka"), 0, 1);
        postgres = EmbeddedPostgres.start();
    }

    @AfterAll
    static void stop() throws Exception {
        if (broker != null) {
            broker.close();
        }
        if (postgres != null) {
            postgres.close();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"json", "avro", "avro-single-object"})
    void loadsEachRowOnceAndQuarantinesWhatCannotBeRead(String format) throws Exception {
        String name = format.replace('-', '_');
        DataSource dataSource = postgres.getPostgresDatabase();
        JdbcTemplate jdbc = new JdbcTemplate(dataSource);
        jdbc.execute("create table " + name + " (id text not null, customer text, cents bigint not null)");
        send(name, format);

        List<String> said = new ArrayList<>();
        assertThat(new DryRun(settings(name, format), said::add).run()).isFalse();
        assertThat(said).hasSize(POISON.size() + 1);
        assertThat(said.get(POISON.size())).startsWith("602 records: 300 copies of others, 2 that make no row");

        try (BulkLoader loader = new BulkLoader(settings(name, format))) {
            Thread loading = new Thread(loader::run, "loader");
            loading.start();
            await().atMost(Duration.ofMinutes(1))
                    .until(() -> loader.progress().count(Outcome.PROCESSED)
                                    + loader.progress().count(Outcome.DUPLICATE)
                            >= 2 * ORDERS);
            await().atMost(Duration.ofMinutes(1))
                    .until(() -> loader.progress().count(Outcome.QUARANTINED) >= POISON.size());
        }

        assertThat(jdbc.queryForObject("select count(*) from " + name, Long.class))
                .isEqualTo(ORDERS);
        assertThat(jdbc.queryForObject(
                        "select count(distinct id) from " + name + " where customer = e'c\\t' || cents", Long.class))
                .isEqualTo(ORDERS);
        for (int poison : POISON) {
            QuarantinedMessage kept = JdbcQuarantine.on(dataSource)
                    .find(new MessageId(name, "poison-" + poison))
                    .orElseThrow()
                    .message();
            assertThat(kept.payload().value()).isEqualTo(poison(format));
            assertThat(kept.failure().type()).isEqualTo(Values.UnusableException.class.getName());
        }
    }

    private static LoaderSettings settings(String name, String format) throws Exception {
        Path schema = Files.writeString(folder.resolve("order.avsc"), Orders.SCHEMA);
        Properties properties = new Properties();
        properties.putAll(Map.of(
                "name",
                name,
                "kafka.bootstrap.servers",
                broker.address(),
                "topic",
                name,
                "jdbc.url",
                postgres.getJdbcUrl("postgres", "postgres"),
                "table",
                name,
                "columns",
                "id=/id, customer=/customer/name, cents=/cents",
                "batch.records",
                "100",
                "batch.time",
                "1s",
                "format",
                format,
                "avro.schema",
                schema.toString()));
        return LoaderSettings.of(properties);
    }

    /** Each order comes twice. Two records among them end in the middle. */
    private static void send(String topic, String format) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.address()))) {
            admin.createTopics(List.of(new NewTopic(topic, 2, (short) 1))).all().get();
        }
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", broker.address(), "max.in.flight.requests.per.connection", 1),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            List<Future<?>> sent = new ArrayList<>();
            for (int i = 0; i < ORDERS; i++) {
                for (int copy = 0; copy < 2; copy++) {
                    sent.add(send(producer, topic, "order-" + i, Orders.bytes(format, "order-" + i, i)));
                }
                if (POISON.contains(i)) {
                    sent.add(send(producer, topic, "poison-" + i, poison(format)));
                }
            }
            for (Future<?> each : sent) {
                each.get();
            }
        }
    }

    private static byte[] poison(String format) {
        byte[] whole = Orders.bytes(format, "poison", 1);
        return Arrays.copyOf(whole, whole.length - 1);
    }

    private static Future<?> send(KafkaProducer<byte[], byte[]> producer, String topic, String id, byte[] value) {
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, id.getBytes(UTF_8), value);
        record.headers().add("message-id", id.getBytes(UTF_8));
        return producer.send(record);
    }
}
