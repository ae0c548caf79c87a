package io.idempotency.samples.services;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The topics between the services, with their content and their lag. */
final class Topics implements AutoCloseable {

    static final String ORDERS = "orders";
    static final String PAYMENTS = "payments";
    static final int PARTITIONS = 6;

    private final Admin admin;
    private final String address;
    private final JsonMapper json = new JsonMapper();

    Topics(String address) {
        this.address = address;
        this.admin = Admin.create(Map.of("bootstrap.servers", address));
    }

    void create() throws ExecutionException, InterruptedException {
        admin.createTopics(List.of(
                        new NewTopic(ORDERS, PARTITIONS, (short) 1), new NewTopic(PAYMENTS, PARTITIONS, (short) 1)))
                .all()
                .get();
    }

    private static List<TopicPartition> partitions(String topic) {
        return IntStream.range(0, PARTITIONS)
                .mapToObj(number -> new TopicPartition(topic, number))
                .toList();
    }

    /** Returns the number of records in a topic. */
    long size(String topic) throws ExecutionException, InterruptedException {
        return ends(topic).values().stream().mapToLong(Long::longValue).sum();
    }

    /** Returns the lag of a group in a topic. */
    long lag(String topic, String group) throws ExecutionException, InterruptedException {
        Map<TopicPartition, OffsetAndMetadata> committed = admin.listConsumerGroupOffsets(group)
                .partitionsToOffsetAndMetadata()
                .get();
        long lag = 0;
        for (Map.Entry<TopicPartition, Long> end : ends(topic).entrySet()) {
            OffsetAndMetadata done = committed.get(end.getKey());
            lag += end.getValue() - (done == null ? 0 : done.offset());
        }
        return lag;
    }

    /** Sets the offsets of a group, which has no members, back to the first records of a topic. */
    void rewind(String topic, String group) throws ExecutionException, InterruptedException {
        admin.alterConsumerGroupOffsets(
                        group,
                        partitions(topic).stream().collect(Collectors.toMap(p -> p, p -> new OffsetAndMetadata(0))))
                .all()
                .get();
    }

    private Map<TopicPartition, Long> ends(String topic) throws ExecutionException, InterruptedException {
        return admin
                .listOffsets(partitions(topic).stream().collect(Collectors.toMap(p -> p, p -> OffsetSpec.latest())))
                .all()
                .get()
                .entrySet()
                .stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey, end -> end.getValue().offset()));
    }

    /** A message of a topic. */
    record Message(String id, Entry entry) {}

    /** The content of a topic: each message once, and the number of further copies. */
    record Census(Map<String, Entry> messages, long copies) {}

    /** Reads a whole topic. */
    Census read(String topic) throws ExecutionException, InterruptedException {
        List<Message> all = new ArrayList<>();
        long size = size(topic);
        Map<String, Object> config = Map.of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, address, ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        try (KafkaConsumer<String, String> reader =
                new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
            reader.assign(partitions(topic));
            reader.seekToBeginning(partitions(topic));
            while (all.size() < size) {
                reader.poll(Duration.ofSeconds(1)).forEach(record -> all.add(message(record)));
            }
        }
        Map<String, Entry> messages = new HashMap<>();
        all.forEach(message -> messages.put(message.id(), message.entry()));
        return new Census(messages, all.size() - messages.size());
    }

    private Message message(ConsumerRecord<String, String> record) {
        String id = new String(record.headers().lastHeader("message-id").value(), StandardCharsets.UTF_8);
        JsonNode value = json.readTree(record.value());
        String order =
                value.path(record.topic().equals(ORDERS) ? "id" : "orderId").asString();
        return new Message(
                id, new Entry(UUID.fromString(order), value.path("cents").asLong()));
    }

    @Override
    public void close() {
        admin.close();
    }
}
