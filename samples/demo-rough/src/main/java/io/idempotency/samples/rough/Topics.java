package io.idempotency.samples.rough;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringSerializer;

/** The topics of the listeners. Each message is in one topic, at two or more offsets. */
final class Topics implements AutoCloseable {

    static final int PARTITIONS = 4;

    private static final int KEYS = 64;
    private static final int NEAR = 300;
    private static final int FAR = 5_000;
    private static final double HAS_THIRD = 0.2;

    private final Admin admin;
    private final String address;

    Topics(String address) {
        this.address = address;
        this.admin = Admin.create(Map.of("bootstrap.servers", address));
    }

    void create() throws ExecutionException, InterruptedException {
        admin.createTopics(Step.all().stream()
                        .map(step -> new NewTopic(step.title(), PARTITIONS, (short) 1))
                        .toList())
                .all()
                .get();
    }

    private record Sent(long when, ProducerRecord<String, String> record) {}

    /** Sends every message, and its copies later. Returns the number of records. */
    int send(Plan plan, long seed) throws ExecutionException, InterruptedException {
        Random random = new Random(seed);
        List<Sent> all = new ArrayList<>();
        for (Step step : Step.all()) {
            List<Order> orders = plan.orders(step);
            for (int i = 0; i < orders.size(); i++) {
                Order order = orders.get(i);
                all.add(new Sent(i, record(step, order, true)));
                // A journal detects a duplicate only in the partition of the original.
                boolean isKeyed = step.isJournal() || random.nextBoolean();
                all.add(new Sent(i + random.nextInt(NEAR), record(step, order, isKeyed)));
                if (random.nextDouble() < HAS_THIRD) {
                    all.add(new Sent(i + random.nextInt(FAR), record(step, order, isKeyed)));
                }
            }
        }
        all.sort(Comparator.comparingLong(Sent::when));
        Map<String, Object> config =
                Map.of("bootstrap.servers", address, "linger.ms", 5, "max.in.flight.requests.per.connection", 1);
        try (KafkaProducer<String, String> producer =
                new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
            List<Future<RecordMetadata>> sending =
                    all.stream().map(sent -> producer.send(sent.record())).toList();
            for (Future<RecordMetadata> each : sending) {
                each.get();
            }
        }
        return all.size();
    }

    private static ProducerRecord<String, String> record(Step step, Order order, boolean isKeyed) {
        ProducerRecord<String, String> record = isKeyed
                ? new ProducerRecord<>(step.title(), "key-" + order.number() % KEYS, order.encode())
                : new ProducerRecord<>(step.title(), order.encode());
        record.headers().add("message-id", order.id().getBytes(StandardCharsets.UTF_8));
        return record;
    }

    /** Returns the number of uncommitted records of each listener, without listeners that have none. */
    Map<String, Long> lag() throws ExecutionException, InterruptedException {
        Map<String, Long> lags = new LinkedHashMap<>();
        for (Step step : Step.all()) {
            Map<TopicPartition, OffsetAndMetadata> committed = admin.listConsumerGroupOffsets(step.title())
                    .partitionsToOffsetAndMetadata()
                    .get();
            var ends = admin.listOffsets(IntStream.range(0, PARTITIONS)
                            .mapToObj(number -> new TopicPartition(step.title(), number))
                            .collect(Collectors.toMap(p -> p, p -> OffsetSpec.latest())))
                    .all()
                    .get();
            ends.forEach((partition, end) -> {
                OffsetAndMetadata done = committed.get(partition);
                long lag = end.offset() - (done == null ? 0 : done.offset());
                if (lag > 0) {
                    lags.merge(step.title(), lag, Long::sum);
                }
            });
        }
        return lags;
    }

    @Override
    public void close() {
        admin.close();
    }
}
