package io.idempotency.streams;

import static org.awaitility.Awaitility.await;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KafkaStreams.State;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.StateRestoreListener;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.test.EmbeddedKafkaKraftBroker;

/** An application on a real broker, with topics of its own. */
final class App implements AutoCloseable {

    private static final EmbeddedKafkaKraftBroker BROKER = start();
    private static final int PARTITIONS = 2;
    private static final Map<String, String> ANY_TIME =
            Map.of("message.timestamp.after.max.ms", String.valueOf(Long.MAX_VALUE));

    private final String id = "app-" + UUID.randomUUID().toString().substring(0, 8);
    private final Path folder;
    private final KafkaProducer<String, String> producer =
            new KafkaProducer<>(Map.of("bootstrap.servers", servers()), new StringSerializer(), new StringSerializer());
    private final List<KafkaStreams> running = new ArrayList<>();
    private final AtomicLong restored = new AtomicLong();
    private int sent;

    App(Path folder) throws ExecutionException, InterruptedException {
        this.folder = folder;
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", servers()))) {
            admin.createTopics(List.of(
                            new NewTopic(in(), PARTITIONS, (short) 1).configs(ANY_TIME),
                            new NewTopic(out(), PARTITIONS, (short) 1).configs(ANY_TIME)))
                    .all()
                    .get();
        }
    }

    private static EmbeddedKafkaKraftBroker start() {
        EmbeddedKafkaKraftBroker broker = new EmbeddedKafkaKraftBroker(1, 1);
        broker.brokerProperties(Map.of(
                "transaction.state.log.replication.factor", "1",
                "transaction.state.log.min.isr", "1",
                "group.initial.rebalance.delay.ms", "0",
                "group.min.session.timeout.ms", "1000",
                "auto.create.topics.enable", "false"));
        broker.afterPropertiesSet();
        Runtime.getRuntime().addShutdownHook(new Thread(broker::destroy));
        return broker;
    }

    static String servers() {
        return BROKER.getBrokersAsString();
    }

    String in() {
        return id + "-in";
    }

    String out() {
        return id + "-out";
    }

    /** Starts an instance with a folder of its own, and waits until it runs. */
    KafkaStreams start(String instance, Topology topology, Map<String, Object> more) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, id);
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, servers());
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, folder.resolve(instance).toString());
        settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
        settings.put(StreamsConfig.ACCEPTABLE_RECOVERY_LAG_CONFIG, Long.MAX_VALUE);
        settings.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
        settings.put(StreamsConfig.consumerPrefix("session.timeout.ms"), 2_000);
        settings.put(StreamsConfig.consumerPrefix("heartbeat.interval.ms"), 300);
        settings.putAll(more);
        KafkaStreams streams = new KafkaStreams(topology, settings);
        streams.setGlobalStateRestoreListener(new CountingListener(restored));
        streams.start();
        running.add(streams);
        await().atMost(Duration.ofMinutes(1)).until(() -> streams.state() == State.RUNNING);
        return streams;
    }

    /** Ends an instance. */
    void stop(KafkaStreams streams) {
        running.remove(streams);
        streams.close();
    }

    /** Returns how many entries were restored from changelogs into stores that work. */
    long restored() {
        return restored.get();
    }

    /** Adds a partition to the input. */
    void addPartition() throws ExecutionException, InterruptedException {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", servers()))) {
            admin.createPartitions(Map.of(in(), NewPartitions.increaseTo(PARTITIONS + 1)))
                    .all()
                    .get();
        }
    }

    /** Sends a record; keys decide the partition. */
    void send(@Nullable String key, String id, String value) throws ExecutionException, InterruptedException {
        send(key, id, value, System.currentTimeMillis());
    }

    void send(@Nullable String key, String id, String value, long timestamp)
            throws ExecutionException, InterruptedException {
        ProducerRecord<String, String> record = new ProducerRecord<>(in(), null, timestamp, key, value);
        record.headers().add("message-id", id.getBytes(StandardCharsets.UTF_8));
        producer.send(record).get();
        sent++;
    }

    /** Waits until everything that was sent is committed, and returns all outputs. */
    List<String> outputs() throws ExecutionException, InterruptedException {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", servers()))) {
            await().atMost(Duration.ofMinutes(1))
                    .until(() ->
                            admin.listConsumerGroupOffsets(id).partitionsToOffsetAndMetadata().get().entrySet().stream()
                                            .filter(each ->
                                                    each.getKey().topic().equals(in()))
                                            .mapToLong(each -> each.getValue().offset())
                                            .sum()
                                    == sent);
        }
        List<String> outputs = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", servers(), "isolation.level", "read_committed"),
                new StringDeserializer(),
                new StringDeserializer())) {
            List<TopicPartition> partitions = new ArrayList<>();
            for (int i = 0; i < PARTITIONS; i++) {
                partitions.add(new TopicPartition(out(), i));
            }
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = new HashMap<>(consumer.endOffsets(partitions));
            while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                consumer.poll(Duration.ofMillis(100)).forEach(record -> outputs.add(record.value()));
            }
        }
        return outputs;
    }

    @Override
    public void close() {
        running.forEach(KafkaStreams::close);
        producer.close();
    }

    private record CountingListener(AtomicLong restored) implements StateRestoreListener {

        @Override
        public void onRestoreStart(TopicPartition partition, String store, long from, long to) {}

        @Override
        public void onBatchRestored(TopicPartition partition, String store, long at, long count) {
            restored.addAndGet(count);
        }

        @Override
        public void onRestoreEnd(TopicPartition partition, String store, long total) {}
    }
}
