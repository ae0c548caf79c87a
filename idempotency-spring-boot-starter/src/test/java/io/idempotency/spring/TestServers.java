package io.idempotency.spring;

import static org.awaitility.Awaitility.await;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.springframework.boot.SpringApplication;
import org.springframework.kafka.test.EmbeddedKafkaKraftBroker;

/** A real broker and a real PostgreSQL, each started once, when a test first needs it, and stopped with the JVM. */
public final class TestServers {

    private TestServers() {}

    private static final class Kafka {
        private static final EmbeddedKafkaKraftBroker BROKER = start();

        private static EmbeddedKafkaKraftBroker start() {
            EmbeddedKafkaKraftBroker broker = new EmbeddedKafkaKraftBroker(1, 2);
            broker.brokerProperties(Map.ofEntries(
                    Map.entry("offsets.topic.num.partitions", "1"),
                    Map.entry("transaction.state.log.num.partitions", "1"),
                    Map.entry("transaction.state.log.replication.factor", "1"),
                    Map.entry("transaction.state.log.min.isr", "1"),
                    Map.entry("group.initial.rebalance.delay.ms", "0"),
                    Map.entry("share.coordinator.state.topic.num.partitions", "1"),
                    Map.entry("share.coordinator.state.topic.replication.factor", "1"),
                    Map.entry("share.coordinator.state.topic.min.isr", "1"),
                    Map.entry("group.share.min.record.lock.duration.ms", "1000"),
                    Map.entry("group.share.record.lock.duration.ms", "1500"),
                    Map.entry("log.cleaner.backoff.ms", "100"),
                    Map.entry("group.min.session.timeout.ms", "1000"),
                    Map.entry("group.consumer.min.session.timeout.ms", "1000"),
                    Map.entry("group.consumer.session.timeout.ms", "3000"),
                    Map.entry("group.consumer.min.heartbeat.interval.ms", "100"),
                    Map.entry("group.consumer.heartbeat.interval.ms", "200")));
            broker.afterPropertiesSet();
            SpringApplication.getShutdownHandlers().add(broker::destroy);
            return broker;
        }
    }

    private static final class Postgres {
        private static final EmbeddedPostgres SERVER = start();

        private static EmbeddedPostgres start() {
            try {
                EmbeddedPostgres server = EmbeddedPostgres.builder()
                        .setServerConfig("max_connections", "200")
                        .setServerConfig("fsync", "off")
                        .setRegisterShutdownHook(false)
                        .start();
                SpringApplication.getShutdownHandlers().add(() -> close(server));
                return server;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static void close(EmbeddedPostgres server) {
            try {
                server.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    public static String bootstrapServers() {
        return Kafka.BROKER.getBrokersAsString();
    }

    /** Returns a name that nothing else has. */
    static String name() {
        return "t-" + UUID.randomUUID();
    }

    /** Creates a topic with two partitions. */
    public static void createTopic(String name) {
        Kafka.BROKER.addTopics(name);
        // The broker learns of it a moment after the controller.
        Kafka.BROKER.doWithAdmin(admin -> await().ignoreExceptions()
                .until(() -> admin.describeTopics(List.of(name))
                        .allTopicNames()
                        .get(10, TimeUnit.SECONDS)
                        .containsKey(name)));
    }

    /** Creates a database and returns its URL. */
    public static String database() {
        String name = "d" + UUID.randomUUID().toString().replace("-", "");
        try (Connection connection = Postgres.SERVER.getPostgresDatabase().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("create database " + name);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        return Postgres.SERVER.getJdbcUrl("postgres", name);
    }
}
