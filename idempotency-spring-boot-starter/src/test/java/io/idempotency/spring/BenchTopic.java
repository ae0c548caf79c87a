package io.idempotency.spring;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.stream.StreamSupport;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.MessageListenerContainer;

/** The topic of one listener of a bench: what is sent to it, how far its group has come, and how it comes again. */
final class BenchTopic {

    private static final int PARTITIONS = 2;

    final String kind;
    final String name;
    private final ListenerBench bench;

    BenchTopic(ListenerBench bench, String kind) {
        this.bench = bench;
        this.kind = kind;
        this.name = bench.topic + "-" + kind;
        TestServers.createTopic(name);
    }

    /** Sets a property of the topic. */
    BenchTopic configured(String property, String value) {
        return configured(new ConfigResource(ConfigResource.Type.TOPIC, name), property, value);
    }

    private BenchTopic configured(ConfigResource of, String property, String value) {
        AlterConfigOp set = new AlterConfigOp(new ConfigEntry(property, value), AlterConfigOp.OpType.SET);
        try {
            bench.admin.incrementalAlterConfigs(Map.of(of, List.of(set))).all().get();
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        }
        return this;
    }

    /** Lets the share group of its listener begin at the first message. */
    BenchTopic shared() {
        ConfigResource group = new ConfigResource(ConfigResource.Type.GROUP, name);
        return configured(group, "share.auto.offset.reset", "earliest");
    }

    /** Sends a message; returns where it stands. */
    long send(int partition, String id, String value) {
        return offset(sending(partition, id, value));
    }

    void sendWithoutId(int partition, String value) {
        offset(bench.producer.send(new ProducerRecord<>(name, partition, "key", value)));
    }

    /** Sends a message with a value that is its id. */
    void sendKeyed(int partition, String key, String value) {
        ProducerRecord<String, String> record = new ProducerRecord<>(name, partition, key, value);
        record.headers().add("message-id", value.getBytes(UTF_8));
        offset(bench.producer.send(record));
    }

    /** Sends messages with values that are their ids, to one partition. */
    void sendAll(int partition, String... values) {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (String value : values) {
            sent.add(sending(partition, value, value));
        }
        sent.forEach(BenchTopic::offset);
    }

    /** Has the listener see what is sent meanwhile in one poll. */
    void whileStopped(Runnable sends) {
        stop();
        sends.run();
        start();
    }

    private Future<RecordMetadata> sending(int partition, String id, String value) {
        ProducerRecord<String, String> record = new ProducerRecord<>(name, partition, "key", value);
        record.headers().add("message-id", id.getBytes(UTF_8));
        return bench.producer.send(record);
    }

    private static long offset(Future<RecordMetadata> sent) {
        try {
            return sent.get().offset();
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Waits until the group of the listener has committed all that is in the topic. */
    void awaitSettled() {
        ListenerBench.await().untilAsserted(() -> {
            Map<TopicPartition, Long> open = new HashMap<>(ends());
            committed().forEach((partition, offset) -> open.remove(partition, offset.offset()));
            open.values().removeIf(end -> end == 0);
            if (!open.isEmpty()) {
                throw new AssertionError("Not committed up to " + open + ", only " + committed());
            }
        });
    }

    long committed(int partition) throws ExecutionException, InterruptedException {
        OffsetAndMetadata offset = committed().get(new TopicPartition(name, partition));
        return offset == null ? 0 : offset.offset();
    }

    private Map<TopicPartition, OffsetAndMetadata> committed() throws ExecutionException, InterruptedException {
        Map<TopicPartition, OffsetAndMetadata> all = new HashMap<>(bench.admin
                .listConsumerGroupOffsets(name)
                .partitionsToOffsetAndMetadata()
                .get());
        all.keySet().removeIf(partition -> !partition.topic().equals(name));
        return all;
    }

    /** Returns the offset behind the last message. */
    long end(int partition) throws ExecutionException, InterruptedException {
        return ends().getOrDefault(new TopicPartition(name, partition), 0L);
    }

    private Map<TopicPartition, Long> ends() throws ExecutionException, InterruptedException {
        Map<TopicPartition, OffsetSpec> latest = new HashMap<>();
        for (int partition = 0; partition < PARTITIONS; partition++) {
            latest.put(new TopicPartition(name, partition), OffsetSpec.latest());
        }
        Map<TopicPartition, Long> ends = new HashMap<>();
        bench.admin.listOffsets(latest).all().get().forEach((partition, end) -> ends.put(partition, end.offset()));
        return ends;
    }

    /** Delivers everything again, as after a crash before the offsets were committed. */
    void redeliver() {
        stop();
        setOffsets(0, 0);
        start();
    }

    /** Sets the offset of each partition, once the group has no members. */
    void setOffsets(long... offsets) {
        Map<TopicPartition, OffsetAndMetadata> all = new HashMap<>();
        for (int partition = 0; partition < PARTITIONS; partition++) {
            all.put(new TopicPartition(name, partition), new OffsetAndMetadata(offsets[partition]));
        }
        ListenerBench.await().ignoreExceptions().until(() -> {
            bench.admin.alterConsumerGroupOffsets(name, all).all().get();
            return true;
        });
    }

    /** Deletes the group with its offsets, once it has no members. */
    void deleteGroup() {
        ListenerBench.await().ignoreExceptions().until(() -> {
            bench.admin.deleteConsumerGroups(List.of(name)).all().get();
            return true;
        });
    }

    /** Deletes the topic, and creates another one of its name. */
    void createAgain() {
        ListenerBench.await().ignoreExceptions().until(() -> {
            bench.admin.deleteTopics(List.of(name)).all().get();
            return true;
        });
        ListenerBench.await().ignoreExceptions().until(() -> {
            bench.admin
                    .createTopics(List.of(new NewTopic(name, PARTITIONS, (short) 1)))
                    .all()
                    .get();
            return true;
        });
    }

    /** Returns the text beside the committed offset of each partition. */
    List<String> committedTexts() throws ExecutionException, InterruptedException {
        return committed().values().stream().map(OffsetAndMetadata::metadata).toList();
    }

    void stop() {
        CountDownLatch stopped = new CountDownLatch(1);
        container().stop(stopped::countDown);
        ListenerBench.await().until(() -> stopped.getCount() == 0);
    }

    void start() {
        container().start();
    }

    /** Waits until every thread of the listener has a partition, so that none is in the middle of a rebalance. */
    void awaitAssigned() {
        ListenerBench.await()
                .until(() -> ((ConcurrentMessageListenerContainer<?, ?>) container())
                        .getContainers().stream()
                                .allMatch(each -> each.getAssignedPartitions() != null
                                        && !each.getAssignedPartitions().isEmpty()));
    }

    MessageListenerContainer container() {
        return Objects.requireNonNull(
                bench.bean(KafkaListenerEndpointRegistry.class).getListenerContainer(kind));
    }

    /** Reads what is in the topic, such as a dead-letter topic, without any group. */
    List<ConsumerRecord<String, String>> read() {
        return read("read_uncommitted");
    }

    /** Reads as {@link #read()} does, without what Kafka transactions have not committed. */
    List<ConsumerRecord<String, String>> readCommitted() {
        return read("read_committed");
    }

    private List<ConsumerRecord<String, String>> read(String isolation) {
        Map<String, Object> properties = new HashMap<>(bench.kafka);
        properties.put("isolation.level", isolation);
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
            Map<TopicPartition, Long> ends = ends();
            consumer.assign(ends.keySet());
            consumer.seekToBeginning(ends.keySet());
            List<ConsumerRecord<String, String>> all = new ArrayList<>();
            while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                consumer.poll(java.time.Duration.ofMillis(50)).forEach(all::add);
            }
            return all;
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    List<String> values() {
        return read().stream().map(ConsumerRecord::value).toList();
    }

    static String header(ConsumerRecord<?, ?> record, String name) {
        return StreamSupport.stream(record.headers().headers(name).spliterator(), false)
                .map(header -> new String(header.value(), UTF_8))
                .findFirst()
                .orElse("");
    }
}
