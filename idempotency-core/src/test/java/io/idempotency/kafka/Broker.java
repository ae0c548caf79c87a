package io.idempotency.kafka;

import static java.util.Objects.requireNonNull;
import static org.awaitility.Awaitility.await;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.test.EmbeddedKafkaKraftBroker;

/** One KRaft broker for all tests of the JVM, with short session timeouts. */
final class Broker {

    private static final EmbeddedKafkaKraftBroker BROKER = start();
    static final Admin ADMIN = Admin.create(Map.of("bootstrap.servers", servers()));
    private static final KafkaProducer<byte[], byte[]> PRODUCER = new KafkaProducer<>(
            Map.of("bootstrap.servers", servers()), new ByteArraySerializer(), new ByteArraySerializer());

    private Broker() {}

    private static EmbeddedKafkaKraftBroker start() {
        EmbeddedKafkaKraftBroker broker = new EmbeddedKafkaKraftBroker(1, 1);
        broker.brokerProperties(Map.ofEntries(
                Map.entry("offsets.topic.num.partitions", "1"),
                Map.entry("transaction.state.log.num.partitions", "1"),
                Map.entry("transaction.state.log.replication.factor", "1"),
                Map.entry("transaction.state.log.min.isr", "1"),
                Map.entry("group.initial.rebalance.delay.ms", "0"),
                Map.entry("group.min.session.timeout.ms", "1000"),
                Map.entry("group.consumer.min.session.timeout.ms", "1000"),
                Map.entry("group.consumer.session.timeout.ms", "3000"),
                Map.entry("group.consumer.min.heartbeat.interval.ms", "100"),
                Map.entry("group.consumer.heartbeat.interval.ms", "200"),
                Map.entry("share.coordinator.state.topic.num.partitions", "1"),
                Map.entry("share.coordinator.state.topic.replication.factor", "1"),
                Map.entry("share.coordinator.state.topic.min.isr", "1"),
                Map.entry("group.share.min.record.lock.duration.ms", "1000"),
                Map.entry("group.share.min.heartbeat.interval.ms", "200"),
                Map.entry("group.share.heartbeat.interval.ms", "200"),
                Map.entry("auto.create.topics.enable", "false")));
        broker.afterPropertiesSet();
        Runtime.getRuntime().addShutdownHook(new Thread(broker::destroy));
        return broker;
    }

    static String servers() {
        return BROKER.getBrokersAsString();
    }

    static String topic(int partitions) {
        return topic(partitions, Map.of());
    }

    static String topic(int partitions, Map<String, String> configs) {
        String name = "orders-" + UUID.randomUUID().toString().substring(0, 8);
        create(name, partitions, configs);
        return name;
    }

    private static void create(String name, int partitions, Map<String, String> configs) {
        join(ADMIN.createTopics(List.of(new NewTopic(name, partitions, (short) 1).configs(configs)))
                .all());
        // The broker learns of it a moment after the controller.
        await().ignoreExceptions()
                .until(() -> join(ADMIN.describeTopics(List.of(name)).allTopicNames())
                        .containsKey(name));
    }

    /** Deletes a topic and creates it again, under the same name and with nothing in it. */
    static void createAgain(String topic, int partitions) {
        join(ADMIN.deleteTopics(List.of(topic)).all());
        await().until(() -> !join(ADMIN.listTopics().names()).contains(topic));
        create(topic, partitions, Map.of());
    }

    /** Properties of a consumer in a group of its own. */
    static Map<String, Object> consumer(String protocol) {
        Map<String, Object> properties = new HashMap<>();
        properties.put("bootstrap.servers", servers());
        properties.put("group.id", "group-" + UUID.randomUUID());
        properties.put("group.protocol", protocol);
        properties.put("auto.offset.reset", "earliest");
        properties.put("isolation.level", "read_committed");
        properties.put("key.deserializer", StringDeserializer.class);
        properties.put("value.deserializer", StringDeserializer.class);
        return properties;
    }

    /** Properties of a consumer in a share group of its own, whose locks last so long. */
    static Map<String, Object> sharing(Duration lock) {
        Map<String, Object> properties = consumer("share");
        properties.keySet().removeAll(List.of("group.protocol", "auto.offset.reset", "isolation.level"));
        ConfigResource group =
                new ConfigResource(ConfigResource.Type.GROUP, String.valueOf(properties.get("group.id")));
        join(ADMIN.incrementalAlterConfigs(Map.of(
                        group,
                        List.of(
                                set("share.auto.offset.reset", "earliest"),
                                set("share.record.lock.duration.ms", String.valueOf(lock.toMillis())))))
                .all());
        return properties;
    }

    private static AlterConfigOp set(String name, String value) {
        return new AlterConfigOp(new ConfigEntry(name, value), AlterConfigOp.OpType.SET);
    }

    static void send(String topic, int partition, String id, String value) {
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, partition, bytes(id), bytes(value));
        record.headers().add(MessageIds.HEADER, bytes(id));
        send(record);
    }

    static void send(ProducerRecord<byte[], byte[]> record) {
        join(PRODUCER.send(record));
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static Optional<Long> committed(Map<String, Object> consumer, String topic, int partition) {
        Map<TopicPartition, OffsetAndMetadata> offsets =
                join(ADMIN.listConsumerGroupOffsets(String.valueOf(consumer.get("group.id")))
                        .partitionsToOffsetAndMetadata());
        return Optional.ofNullable(offsets.get(new TopicPartition(topic, partition)))
                .map(OffsetAndMetadata::offset);
    }

    /** Returns whether the group is stable with so many members of one partition each. */
    static boolean hasOnePartitionEach(Map<String, Object> consumer, int members) {
        String group = String.valueOf(consumer.get("group.id"));
        ConsumerGroupDescription description = join(
                ADMIN.describeConsumerGroups(List.of(group)).describedGroups().get(group));
        return description.groupState() == GroupState.STABLE
                && description.members().size() == members
                && description.members().stream()
                        .allMatch(
                                member -> member.assignment().topicPartitions().size() == 1);
    }

    static <T> T join(@Nullable Future<T> future) {
        try {
            return requireNonNull(future).get();
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }
}
