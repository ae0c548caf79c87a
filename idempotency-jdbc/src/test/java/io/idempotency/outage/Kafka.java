package io.idempotency.outage;

import static io.idempotency.outage.Eventually.eventually;

import io.idempotency.kafka.MessageIds;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.GroupIdNotFoundException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.springframework.kafka.test.EmbeddedKafkaKraftBroker;

/** One KRaft broker for all tests of the package, with short session timeouts. */
final class Kafka {

    private static final EmbeddedKafkaKraftBroker BROKER = start();
    private static final Admin ADMIN = Admin.create(Map.of("bootstrap.servers", servers()));
    private static final KafkaProducer<String, String> PRODUCER = new KafkaProducer<>(
            Map.of("bootstrap.servers", servers(), "max.in.flight.requests.per.connection", 1),
            new StringSerializer(),
            new StringSerializer());

    private Kafka() {}

    private static EmbeddedKafkaKraftBroker start() {
        EmbeddedKafkaKraftBroker broker = new EmbeddedKafkaKraftBroker(1, 1);
        broker.brokerProperties(Map.ofEntries(
                Map.entry("offsets.topic.num.partitions", "1"),
                Map.entry("group.initial.rebalance.delay.ms", "0"),
                Map.entry("group.min.session.timeout.ms", "1000"),
                Map.entry("group.consumer.min.session.timeout.ms", "1000"),
                Map.entry("group.consumer.session.timeout.ms", "6000"),
                Map.entry("group.consumer.min.heartbeat.interval.ms", "100"),
                Map.entry("group.consumer.heartbeat.interval.ms", "500"),
                Map.entry("share.coordinator.state.topic.num.partitions", "1"),
                Map.entry("share.coordinator.state.topic.replication.factor", "1"),
                Map.entry("share.coordinator.state.topic.min.isr", "1"),
                Map.entry("group.share.min.record.lock.duration.ms", "1000"),
                Map.entry("group.share.min.heartbeat.interval.ms", "200"),
                Map.entry("group.share.heartbeat.interval.ms", "200"),
                Map.entry("auto.create.topics.enable", "false")));
        broker.afterPropertiesSet();
        return broker;
    }

    /** Stops the broker when all tests are done. */
    static void stop() {
        PRODUCER.close();
        ADMIN.close();
        BROKER.destroy();
    }

    static String servers() {
        return BROKER.getBrokersAsString();
    }

    static String topic(int partitions) {
        String name = "orders-" + UUID.randomUUID().toString().substring(0, 8);
        join(ADMIN.createTopics(List.of(new NewTopic(name, partitions, (short) 1)))
                .all());
        return name;
    }

    /** Returns properties of a member of a share group that begins at the first record, and whose locks last so long. */
    static Map<String, Object> sharing(String group, Duration lock) {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.GROUP, group);
        join(ADMIN.incrementalAlterConfigs(Map.of(
                        resource,
                        List.of(
                                set("share.auto.offset.reset", "earliest"),
                                set("share.record.lock.duration.ms", String.valueOf(lock.toMillis())))))
                .all());
        return member(servers(), group);
    }

    /** Returns properties of a member of a share group that is set up already. */
    static Map<String, Object> member(String servers, String group) {
        return new HashMap<>(Map.of(
                "bootstrap.servers",
                servers,
                "group.id",
                group,
                "key.deserializer",
                StringDeserializer.class,
                "value.deserializer",
                StringDeserializer.class));
    }

    private static AlterConfigOp set(String name, String value) {
        return new AlterConfigOp(new ConfigEntry(name, value), AlterConfigOp.OpType.SET);
    }

    /** Sends one message with the id. */
    static Entry send(String topic, int partition, String id) {
        return entry(id, join(send(new ProducerRecord<>(topic, partition, id, id), id)));
    }

    /** Sends messages with ids that begin with the text given, to one partition. */
    static List<Entry> send(String topic, int partition, String idBegins, int count) {
        List<Future<RecordMetadata>> futures = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String id = idBegins + "-" + partition + "-" + i;
            futures.add(send(new ProducerRecord<>(topic, partition, id, id), id));
        }
        List<Entry> sent = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            sent.add(entry(idBegins + "-" + partition + "-" + i, join(futures.get(i))));
        }
        return sent;
    }

    /** Sends one message to the partition of its key. */
    static void sendByKey(String topic, String key, String id) {
        Future<RecordMetadata> unused = send(new ProducerRecord<>(topic, key, id), id);
    }

    private static Future<RecordMetadata> send(ProducerRecord<String, String> message, String id) {
        message.headers().add(MessageIds.HEADER, id.getBytes(StandardCharsets.UTF_8));
        return PRODUCER.send(message);
    }

    private static Entry entry(String id, RecordMetadata where) {
        return new Entry(where.partition(), where.offset(), id);
    }

    /** Returns the committed offset of each partition that has one. */
    static Map<Integer, Long> committed(String group) {
        Map<Integer, Long> offsets = new HashMap<>();
        join(ADMIN.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata())
                .forEach((partition, offset) -> offsets.put(partition.partition(), offset.offset()));
        return offsets;
    }

    /** Returns the committed offset of partition 0; 0 if it has none. */
    static long committedOfFirst(String group) {
        return committed(group).getOrDefault(0, 0L);
    }

    /** Returns how many records a group has not committed. */
    static long lag(String topic, int partitions, String group) {
        Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
        for (int partition = 0; partition < partitions; partition++) {
            asked.put(new TopicPartition(topic, partition), OffsetSpec.latest());
        }
        Map<Integer, Long> committed = committed(group);
        return join(ADMIN.listOffsets(asked).all()).entrySet().stream()
                .mapToLong(end -> end.getValue().offset()
                        - committed.getOrDefault(end.getKey().partition(), 0L))
                .sum();
    }

    /** Deletes a group with its offsets, as soon as it has no members. */
    /** Removes all members, as an operator does; they join again. */
    static void removeMembers(String group) {
        join(ADMIN.removeMembersFromConsumerGroup(group, new RemoveMembersFromConsumerGroupOptions())
                .all());
    }

    static void deleteGroup(String group) {
        eventually().until(() -> members(group).isEmpty());
        join(ADMIN.deleteConsumerGroups(List.of(group)).all());
    }

    /** Sets the offset of each partition, as soon as the group has no members. */
    static void setOffsets(String group, String topic, int partitions, long offset) {
        eventually().until(() -> members(group).isEmpty());
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (int partition = 0; partition < partitions; partition++) {
            offsets.put(new TopicPartition(topic, partition), new OffsetAndMetadata(offset));
        }
        join(ADMIN.alterConsumerGroupOffsets(group, offsets).all());
    }

    /** Deletes a topic and creates another one of its name. */
    /** Deletes the records in front of an offset, as the retention of a topic does. */
    static void deleteBefore(String topic, int partitions, long offset) {
        Map<TopicPartition, RecordsToDelete> deleted = new HashMap<>();
        for (int partition = 0; partition < partitions; partition++) {
            deleted.put(new TopicPartition(topic, partition), RecordsToDelete.beforeOffset(offset));
        }
        join(ADMIN.deleteRecords(deleted).all());
    }

    static void createAgain(String topic, int partitions) {
        join(ADMIN.deleteTopics(List.of(topic)).all());
        eventually().ignoreExceptions().until(() -> {
            join(ADMIN.createTopics(List.of(new NewTopic(topic, partitions, (short) 1)))
                    .all());
            return true;
        });
    }

    /** Returns the partitions of each member, by its id; nothing of a group that does not exist yet. */
    static Map<String, List<Integer>> members(String group) {
        Map<String, List<Integer>> members = new HashMap<>();
        for (MemberDescription member : memberDescriptions(group)) {
            members.put(
                    member.consumerId(),
                    member.assignment().topicPartitions().stream()
                            .map(TopicPartition::partition)
                            .sorted()
                            .toList());
        }
        return members;
    }

    private static Collection<MemberDescription> memberDescriptions(String group) {
        try {
            return ADMIN.describeConsumerGroups(List.of(group)).all().get().values().stream()
                    .flatMap(description -> description.members().stream())
                    .toList();
        } catch (InterruptedException | ExecutionException e) {
            if (e.getCause() instanceof GroupIdNotFoundException) {
                return List.of();
            }
            throw new IllegalStateException(e);
        }
    }

    /** Waits until as many members share the partitions, each with one. */
    static void awaitMembersWithOnePartition(String group, int count) {
        eventually()
                .until(() -> members(group).values().stream()
                                .filter(partitions -> partitions.size() == 1)
                                .count()
                        == count);
    }

    private static <T> T join(Future<T> future) {
        try {
            return future.get();
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    private static <T> T join(org.apache.kafka.common.KafkaFuture<T> future) {
        return join(future.toCompletionStage().toCompletableFuture());
    }
}
