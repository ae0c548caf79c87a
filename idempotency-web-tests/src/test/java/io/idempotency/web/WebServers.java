package io.idempotency.web;

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
final class WebServers {

    private WebServers() {}

    private static final class Kafka {
        private static final EmbeddedKafkaKraftBroker BROKER = start();

        private static EmbeddedKafkaKraftBroker start() {
            EmbeddedKafkaKraftBroker broker = new EmbeddedKafkaKraftBroker(1, 2);
            broker.brokerProperties(
                    Map.of("offsets.topic.num.partitions", "1", "group.initial.rebalance.delay.ms", "0"));
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

    static String bootstrapServers() {
        return Kafka.BROKER.getBrokersAsString();
    }

    /** Creates a topic with two partitions, and returns its name, which nothing else has. */
    static String topic(String prefix) {
        String name = prefix + "-" + UUID.randomUUID();
        topics(List.of(name));
        return name;
    }

    /** Creates topics with two partitions each. */
    static void topics(List<String> names) {
        Kafka.BROKER.addTopics(names.toArray(String[]::new));
        // The broker learns of them a moment after the controller.
        Kafka.BROKER.doWithAdmin(admin -> await().ignoreExceptions()
                .until(() -> admin.describeTopics(names)
                        .allTopicNames()
                        .get(10, TimeUnit.SECONDS)
                        .keySet()
                        .containsAll(names)));
    }

    /** Creates a database and returns its name. */
    static String database() {
        String name = "d" + UUID.randomUUID().toString().replace("-", "");
        execute("create database " + name);
        return name;
    }

    /** Returns the URL of a database. */
    static String url(String database) {
        return Postgres.SERVER.getJdbcUrl("postgres", database);
    }

    /** Ends all connections to a database, and lets nobody connect again. */
    static void cutOff(String database) {
        execute("alter database " + database + " with allow_connections false");
        execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = '" + database + "'");
    }

    private static void execute(String sql) {
        try (Connection connection = Postgres.SERVER.getPostgresDatabase().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
