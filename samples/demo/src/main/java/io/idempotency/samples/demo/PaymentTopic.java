package io.idempotency.samples.demo;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
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
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/** The topic of the payments, with its format, its content and its lag. */
final class PaymentTopic implements AutoCloseable {

    static final String NAME = "payments";
    static final String GROUP = "bank";
    static final String ID_HEADER = "message-id";

    private static final List<TopicPartition> PARTITIONS = IntStream.range(0, Payments.BRANCHES)
            .mapToObj(partition -> new TopicPartition(NAME, partition))
            .toList();

    private final Admin admin;
    private final String address;

    PaymentTopic(String address) {
        this.address = address;
        this.admin = Admin.create(Map.of("bootstrap.servers", address));
    }

    void create() throws ExecutionException, InterruptedException {
        admin.createTopics(List.of(new NewTopic(NAME, Payments.BRANCHES, (short) 1)))
                .all()
                .get();
    }

    /** Returns the payment as a message, with its id in the header. */
    static ProducerRecord<String, String> message(Payment payment) {
        ProducerRecord<String, String> message = new ProducerRecord<>(
                NAME, Payments.partition(payment), Integer.toString(payment.from()), payment.encode());
        message.headers().add(ID_HEADER, payment.id().toString().getBytes(StandardCharsets.UTF_8));
        return message;
    }

    /** Returns the lag of the group. */
    long lag() throws ExecutionException, InterruptedException {
        Map<TopicPartition, OffsetAndMetadata> committed = admin.listConsumerGroupOffsets(GROUP)
                .partitionsToOffsetAndMetadata()
                .get();
        long lag = 0;
        for (Map.Entry<TopicPartition, Long> end : ends().entrySet()) {
            OffsetAndMetadata done = committed.get(end.getKey());
            lag += end.getValue() - (done == null ? 0 : done.offset());
        }
        return lag;
    }

    private Map<TopicPartition, Long> ends() throws ExecutionException, InterruptedException {
        return admin
                .listOffsets(PARTITIONS.stream().collect(Collectors.toMap(p -> p, p -> OffsetSpec.latest())))
                .all()
                .get()
                .entrySet()
                .stream()
                .collect(Collectors.toMap(Map.Entry::getKey, e -> e.getValue().offset()));
    }

    /** Reads the whole topic and returns the number of copies of each message. */
    Map<UUID, Integer> census() throws ExecutionException, InterruptedException {
        Map<UUID, Integer> census = new HashMap<>();
        long left = ends().values().stream().mapToLong(Long::longValue).sum();
        Map<String, Object> config = Map.of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, address, ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        try (KafkaConsumer<String, String> reader =
                new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
            reader.assign(PARTITIONS);
            reader.seekToBeginning(PARTITIONS);
            while (left > 0) {
                for (ConsumerRecord<String, String> message : reader.poll(Duration.ofSeconds(1))) {
                    census.merge(Payment.decode(message.value()).id(), 1, Integer::sum);
                    left--;
                }
            }
        }
        return census;
    }

    @Override
    public void close() {
        admin.close();
    }
}
