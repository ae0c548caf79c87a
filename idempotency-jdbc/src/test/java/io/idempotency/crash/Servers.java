package io.idempotency.crash;

import static java.util.stream.Collectors.toSet;

import io.idempotency.database.Database;
import io.idempotency.jdbc.JdbcQuarantine;
import io.idempotency.jdbc.JournalStore;
import io.idempotency.jdbc.Schema;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import javax.sql.DataSource;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListShareGroupOffsetsSpec;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.SharePartitionOffsetInfo;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.test.EmbeddedKafkaKraftBroker;

/** A broker and a database for all cells; the processes that crash are their clients. Thread-safe. */
final class Servers implements AutoCloseable {

    private final Closeable server;
    private final Database database;
    private final EmbeddedKafkaKraftBroker broker;
    private final Admin admin;
    private final KafkaProducer<byte[], byte[]> producer;
    private final DataSource dataSource;

    private Servers(Closeable server, Database database, EmbeddedKafkaKraftBroker broker) {
        this.server = server;
        this.database = database;
        this.broker = broker;
        this.admin = Admin.create(Map.of("bootstrap.servers", bootstrap()));
        this.producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrap(), "max.in.flight.requests.per.connection", 1),
                new ByteArraySerializer(),
                new ByteArraySerializer());
        this.dataSource = database.dataSource();
        createTables(dataSource);
    }

    /** Creates the tables of the stores and the ledger. */
    static void createTables(DataSource dataSource) {
        Schema.on(dataSource).tablePrefix(Ledger.PREFIX).create();
        new Ledger(dataSource).create();
    }

    /** Starts a broker and PostgreSQL. */
    static Servers onPostgres() {
        CompletableFuture<EmbeddedPostgres> postgres = CompletableFuture.supplyAsync(Servers::startPostgres);
        EmbeddedKafkaKraftBroker broker = startBroker();
        EmbeddedPostgres server = postgres.join();
        return new Servers(server, Database.at(server.getJdbcUrl("postgres", "postgres")), broker);
    }

    /** Starts a broker beside a database that runs. */
    static Servers beside(Database database) {
        return new Servers(() -> {}, database, startBroker());
    }

    private static EmbeddedPostgres startPostgres() {
        try {
            return EmbeddedPostgres.builder().setServerConfig("fsync", "off").start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static EmbeddedKafkaKraftBroker startBroker() {
        EmbeddedKafkaKraftBroker broker = new EmbeddedKafkaKraftBroker(1, 1);
        broker.brokerProperties(Map.of(
                "offsets.topic.num.partitions", "1",
                "group.initial.rebalance.delay.ms", "0",
                "group.min.session.timeout.ms", "1000",
                "share.coordinator.state.topic.num.partitions", "1",
                "share.coordinator.state.topic.replication.factor", "1",
                "share.coordinator.state.topic.min.isr", "1",
                "group.share.min.record.lock.duration.ms", "1000",
                "group.share.record.lock.duration.ms", "3000",
                "auto.create.topics.enable", "false"));
        broker.afterPropertiesSet();
        return broker;
    }

    String bootstrap() {
        return broker.getBrokersAsString();
    }

    DataSource dataSource() {
        return dataSource;
    }

    /** Returns the arguments of the processes. */
    Map<String, String> environment() {
        Map<String, String> environment = new TreeMap<>(database.environment());
        environment.put(Cell.RUN_VARIABLE, Cell.RUN);
        return environment;
    }

    /** Returns why the store of a cell cannot be had here, or null if it can. */
    @Nullable
    String missing(Cell cell) {
        if (cell.store() == Cell.Kind.TABLE) {
            return null;
        }
        try {
            JournalStore.builder(dataSource)
                    .tablePrefix(Ledger.PREFIX)
                    .build()
                    .purge(JournalStore.DEFAULT_RETENTION, 1);
            return null;
        } catch (IdempotencyException e) {
            if (String.valueOf(e.getMessage()).startsWith("There are no journals")) {
                return e.getMessage();
            }
            throw e;
        }
    }

    /** Returns the fate of each message of a cell. */
    Map<String, Seen.Fate> fates(Cell cell) {
        Ledger ledger = new Ledger(dataSource);
        Set<String> quarantined =
                JdbcQuarantine.on(dataSource).tablePrefix(Ledger.PREFIX).list(cell.id(), Cell.MESSAGES.size()).stream()
                        .map(MessageId::value)
                        .collect(toSet());
        Map<String, Seen.Fate> fates = new TreeMap<>();
        for (String message : Cell.MESSAGES) {
            int calls = ledger.calls(cell.id(), message);
            int effects = ledger.effects(cell.id(), message);
            fates.put(message, new Seen.Fate(calls, effects, quarantined.contains(message)));
        }
        return fates;
    }

    /** Sends the messages of a cell to a topic of its own. */
    void send(Cell cell) {
        send(cell.id(), Cell.MESSAGES);
    }

    /** Sends messages to one partition of a new topic. */
    void send(String topic, List<String> messages) {
        join(admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all());
        List<? extends Future<?>> sent = messages.stream()
                .map(message -> {
                    ProducerRecord<byte[], byte[]> record =
                            new ProducerRecord<>(topic, bytes("account"), bytes(message));
                    record.headers().add("message-id", bytes(message));
                    return producer.send(record);
                })
                .toList();
        sent.forEach(Servers::join);
    }

    /** Returns whether the group of a cell has committed the end of its topic. */
    boolean isSettled(Cell cell) {
        return isSettled(cell.id(), Cell.MESSAGES.size());
    }

    /** Returns whether the group named after a topic has committed so many messages. */
    boolean isSettled(String topic, int messages) {
        Map<TopicPartition, OffsetAndMetadata> offsets =
                join(admin.listConsumerGroupOffsets(topic).partitionsToOffsetAndMetadata());
        OffsetAndMetadata committed = offsets.get(new TopicPartition(topic, 0));
        return committed != null && committed.offset() == messages;
    }

    /** Lets the share group named after a topic begin at its first record. */
    void beginAtFirst(String topic) {
        join(admin.incrementalAlterConfigs(Map.of(
                        new ConfigResource(ConfigResource.Type.GROUP, topic),
                        List.of(new AlterConfigOp(
                                new ConfigEntry("share.auto.offset.reset", "earliest"), AlterConfigOp.OpType.SET))))
                .all());
    }

    /** Returns whether the share group named after a topic is done with all records: each was accepted, or archived by the broker. */
    boolean isShared(String topic) {
        TopicPartition partition = new TopicPartition(topic, 0);
        try {
            SharePartitionOffsetInfo info = admin.listShareGroupOffsets(
                            Map.of(topic, new ListShareGroupOffsetsSpec().topicPartitions(List.of(partition))))
                    .partitionsToOffsetInfo(topic)
                    .get()
                    .get(partition);
            return info != null && info.lag().equals(Optional.of(0L));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } catch (ExecutionException notYet) {
            return false;
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static <T> T join(Future<T> future) {
        try {
            return future.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() throws IOException {
        producer.close();
        admin.close();
        broker.destroy();
        server.close();
    }
}
