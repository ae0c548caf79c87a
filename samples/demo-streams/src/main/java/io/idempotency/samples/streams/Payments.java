package io.idempotency.samples.streams;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;

/** The topics of one run: what is sent, and what came out. */
final class Payments implements AutoCloseable {

    private static final int PARTITIONS = 4;
    private static final int KEYS = 500;
    private static final int COPIES_IN_A_HUNDRED = 10;
    private static final int LATEST_COPY = 5_000;

    private final String broker;
    private final String guarantee;
    private final Random random;
    private final Admin admin;
    private final KafkaProducer<String, String> producer;
    /** Copies that are to be sent when so many payments were sent. */
    private final Deque<Copy> copies = new ArrayDeque<>();

    private final AtomicReference<@Nullable Exception> failed = new AtomicReference<>();

    private int payments;
    private int records;

    private record Copy(int payment, int due) {}

    Payments(String broker, String guarantee, long seed) throws ExecutionException, InterruptedException {
        this.broker = broker;
        this.guarantee = guarantee;
        this.random = new Random(seed);
        this.admin = Admin.create(Map.of("bootstrap.servers", broker));
        this.producer = new KafkaProducer<>(
                // One at a time: a topic that is being created may refuse the first request and take the second, and
                // then never the first.
                Map.of("bootstrap.servers", broker, "linger.ms", 5, "max.in.flight.requests.per.connection", 1),
                new StringSerializer(),
                new StringSerializer());
        admin.createTopics(List.of(
                        new NewTopic(in(guarantee), PARTITIONS, (short) 1),
                        new NewTopic(out(guarantee), PARTITIONS, (short) 1)))
                .all()
                .get();
    }

    static String in(String guarantee) {
        return "payments-" + guarantee;
    }

    static String out(String guarantee) {
        return "ledger-" + guarantee;
    }

    static String group(String guarantee) {
        return "demo-" + guarantee;
    }

    /** Sends payments, and copies of a tenth of all: some soon, some thousands of payments later. */
    void send(int count) {
        for (int i = 0; i < count; i++) {
            int payment = payments++;
            send(payment, 0);
            if (random.nextInt(100) < COPIES_IN_A_HUNDRED) {
                copies.add(new Copy(payment, payment + 1 + random.nextInt(LATEST_COPY)));
            }
            while (!copies.isEmpty() && copies.peek().due() <= payment) {
                send(copies.remove().payment(), 1);
            }
        }
        flush();
    }

    private void flush() {
        producer.flush();
        Exception failure = failed.get();
        if (failure != null) {
            throw new IllegalStateException("A payment could not be sent", failure);
        }
    }

    /** Sends the copies that are not sent yet. */
    void sendTheRest() {
        copies.forEach(copy -> send(copy.payment(), 1));
        copies.clear();
        flush();
    }

    private void send(int payment, int copy) {
        records++;
        ProducerRecord<String, String> record =
                new ProducerRecord<>(in(guarantee), "account-" + payment % KEYS, payment + ":" + copy);
        record.headers().add("message-id", ("payment-" + payment).getBytes(StandardCharsets.UTF_8));
        var unused = producer.send(record, (metadata, failure) -> {
            if (failure != null) {
                failed.compareAndSet(null, failure);
            }
        });
    }

    int records() {
        return records;
    }

    int payments() {
        return payments;
    }

    /** Returns how many records the application has not committed yet. */
    long lag() throws ExecutionException, InterruptedException {
        Map<TopicPartition, OffsetAndMetadata> committed = admin.listConsumerGroupOffsets(group(guarantee))
                .partitionsToOffsetAndMetadata()
                .get();
        return ends(in(guarantee)).entrySet().stream()
                .mapToLong(end -> end.getValue()
                        - (committed.get(end.getKey()) == null
                                ? 0
                                : committed.get(end.getKey()).offset()))
                .sum();
    }

    /** Returns the ends of all transactions that are decided. */
    private Map<TopicPartition, Long> ends(String topic) throws ExecutionException, InterruptedException {
        Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
        IntStream.range(0, PARTITIONS).forEach(i -> asked.put(new TopicPartition(topic, i), OffsetSpec.latest()));
        Map<TopicPartition, Long> ends = new HashMap<>();
        admin.listOffsets(asked, new ListOffsetsOptions(IsolationLevel.READ_COMMITTED))
                .all()
                .get()
                .forEach((partition, end) -> ends.put(partition, end.offset()));
        return ends;
    }

    /** Reads all outputs of committed transactions. */
    Verdict verdict() throws ExecutionException, InterruptedException {
        int[] outputs = new int[payments];
        int fromCopies = 0;
        int total = 0;
        Map<TopicPartition, Long> ends = ends(out(guarantee));
        Map<String, Object> config = Map.of("bootstrap.servers", broker, "isolation.level", "read_committed");
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
            consumer.assign(ends.keySet());
            consumer.seekToBeginning(ends.keySet());
            while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                for (ConsumerRecord<String, String> output : consumer.poll(Duration.ofMillis(500))) {
                    String[] parts = output.value().split(":", 2);
                    outputs[Integer.parseInt(parts[0])]++;
                    fromCopies += Integer.parseInt(parts[1]);
                    total++;
                }
            }
        }
        return Verdict.of(guarantee, records, outputs, total, fromCopies);
    }

    @Override
    public void close() {
        producer.close(Duration.ZERO);
        admin.close();
    }
}
