package io.idempotency.outbox;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.IdempotentConsumer;
import io.idempotency.jdbc.JdbcOutbox;
import io.idempotency.jdbc.JdbcTransactions;
import io.idempotency.jdbc.Schema;
import io.idempotency.jdbc.TableStore;
import io.idempotency.jdbc.TestDatabase;
import io.idempotency.kafka.KafkaRecords;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.springframework.kafka.test.EmbeddedKafkaKraftBroker;

/** An outbox with tables of its own, and a topic. */
final class OutboxScene implements AutoCloseable {

    private static final EmbeddedKafkaKraftBroker BROKER = startBroker();

    final String topic = "payments-" + UUID.randomUUID().toString().substring(0, 8);
    final HikariDataSource dataSource;
    final String prefix;
    final JdbcOutbox store;
    final Outbox<String, String> outbox;
    final JdbcTransactions transactions;

    OutboxScene(TestDatabase database) {
        this.dataSource = database.pool(6);
        this.prefix = "o" + UUID.randomUUID().toString().substring(0, 8) + "_";
        Schema.on(dataSource).tablePrefix(prefix).create();
        this.store = JdbcOutbox.on(dataSource).tablePrefix(prefix);
        this.outbox = Outbox.of(store, new StringSerializer(), new StringSerializer());
        this.transactions = JdbcTransactions.on(dataSource);
        createTopic(topic, 2, Map.of());
    }

    private static EmbeddedKafkaKraftBroker startBroker() {
        EmbeddedKafkaKraftBroker broker = new EmbeddedKafkaKraftBroker(1, 1);
        broker.brokerProperties(Map.of("auto.create.topics.enable", "false", "group.initial.rebalance.delay.ms", "0"));
        broker.afterPropertiesSet();
        Runtime.getRuntime().addShutdownHook(new Thread(broker::destroy));
        return broker;
    }

    static String servers() {
        return BROKER.getBrokersAsString();
    }

    static void createTopic(String name, int partitions, Map<String, String> configs) {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", servers()))) {
            admin.createTopics(List.of(new NewTopic(name, partitions, (short) 1).configs(configs)))
                    .all()
                    .get();
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Returns a relay that has not started, and that blocks a second at most for a topic that does not exist. */
    OutboxRelay.Builder relay(OutboxStore of) {
        return OutboxRelay.of(of, Map.of("bootstrap.servers", servers(), "max.block.ms", "1000"));
    }

    /** Sends all that waits. */
    void relayAll() {
        try (OutboxRelay relay = relay(store).build()) {
            int read = 1;
            while (read > 0) {
                read = relay.runOnce();
            }
        }
    }

    /** Returns an exactly-once consumer of this database. */
    IdempotentConsumer<ConsumerRecord<String, String>> consumer() {
        return KafkaRecords.<String, String>consumer("payments")
                .store(TableStore.builder(dataSource).tablePrefix(prefix).build())
                .build();
    }

    static ConsumerRecord<String, String> incoming(String id, long offset) {
        ConsumerRecord<String, String> record = new ConsumerRecord<>("orders", 0, offset, "k", "v");
        record.headers().add("message-id", id.getBytes(StandardCharsets.UTF_8));
        return record;
    }

    /** Returns everything that is in the topic. */
    List<ConsumerRecord<String, String>> received() {
        Map<String, Object> config = new HashMap<>(Map.of("bootstrap.servers", servers()));
        config.put("isolation.level", "read_committed");
        List<ConsumerRecord<String, String>> received = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
            List<TopicPartition> partitions = List.of(new TopicPartition(topic, 0), new TopicPartition(topic, 1));
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(each -> consumer.position(each) < ends.getOrDefault(each, 0L))) {
                consumer.poll(Duration.ofMillis(100)).forEach(received::add);
            }
        }
        return received;
    }

    List<String> receivedValues() {
        return received().stream().map(ConsumerRecord::value).toList();
    }

    static String id(ConsumerRecord<?, ?> record) {
        return new String(record.headers().lastHeader("message-id").value(), StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        dataSource.close();
    }
}
