package io.idempotency.spring;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.idempotency.spring.RepliesLife.Way;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.kafka.support.KafkaHeaders;

/**
 * One life of a process that sends each request three times, some at once, and repeats each copy until it has a reply. It writes down what it got, and the next life
 * goes on with the rest.
 */
final class AsksLife {

    static final int COPIES = 3;
    /** Both topics, and those of their replies, have so many. */
    static final int PARTITIONS = 2;

    private static final int AT_ONCE = 12;
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private final ConcurrentMap<String, CompletableFuture<String>> replies = new ConcurrentHashMap<>();
    private final JdbcTemplate jdbc;
    private final KafkaProducer<String, String> producer;
    private final Map<String, Object> kafka;
    private final String topic;

    private AsksLife(String database, String servers, String topic) {
        this.jdbc = new JdbcTemplate(new DriverManagerDataSource(database));
        this.kafka = Map.of("bootstrap.servers", servers);
        this.producer = new KafkaProducer<>(kafka, new StringSerializer(), new StringSerializer());
        this.topic = topic;
    }

    /** One copy of a request. */
    private record Ask(Way way, int request, int copy) {

        /** With the outbox all copies wait for one reply. */
        String correlation() {
            return way == Way.OUTBOX
                    ? String.valueOf(request)
                    : UUID.randomUUID().toString();
        }
    }

    /** The topic of the replies. */
    static String replies(String topic, Way way) {
        return topic + "-" + way + "-replies";
    }

    /** Takes the database, the brokers, the topic, the number of requests and a seed. Ends with 0 when each copy has a reply. */
    public static void main(String[] args) throws Exception {
        KilledJvm.endWithInput();
        new AsksLife(args[0], args[1], args[2]).run(Integer.parseInt(args[3]), new Random(Long.parseLong(args[4])));
        Runtime.getRuntime().halt(0);
    }

    private void run(int requests, Random random) throws Exception {
        Thread reading = new Thread(this::read, "replies");
        reading.setDaemon(true);
        reading.start();
        ExecutorService asking = Executors.newFixedThreadPool(AT_ONCE);
        List<Future<?>> all = new ArrayList<>();
        for (Ask ask : left(requests, random)) {
            all.add(asking.submit(() -> {
                keep(ask, untilReplied(ask));
                return null;
            }));
        }
        for (Future<?> each : all) {
            each.get();
        }
    }

    /** Every second request has its copies side by side, so that they are sent at once; those of the others come at any time. */
    private List<Ask> left(int requests, Random random) {
        List<Ask> all = new ArrayList<>();
        for (int request = 0; request < requests; request++) {
            for (Way way : Way.values()) {
                for (int copy = 0; copy < COPIES; copy++) {
                    int at = request % 2 == 0 ? all.size() : random.nextInt(all.size() + 1);
                    all.add(at, new Ask(way, request, copy));
                }
            }
        }
        Set<Ask> got = Set.copyOf(jdbc.query(
                "select way, request, copy from got",
                (row, index) -> new Ask(Way.valueOf(row.getString(1)), row.getInt(2), row.getInt(3))));
        all.removeAll(got);
        Collections.rotate(all, all.isEmpty() ? 0 : -random.nextInt(all.size()));
        return all;
    }

    private String untilReplied(Ask ask) throws Exception {
        String correlation = ask.correlation();
        while (true) {
            send(ask, correlation);
            try {
                return replies.computeIfAbsent(ask.way() + correlation, key -> new CompletableFuture<>())
                        .get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                // As every caller does that gets no reply.
            }
        }
    }

    /** The copies of a request are in both partitions, so that two services have them. */
    private void send(Ask ask, String correlation) throws Exception {
        ProducerRecord<String, String> record = new ProducerRecord<>(
                topic + "-" + ask.way(), ask.copy() % PARTITIONS, null, String.valueOf(ask.request()));
        record.headers()
                .add("message-id", ("request-" + ask.request()).getBytes(UTF_8))
                .add(KafkaHeaders.REPLY_TOPIC, replies(topic, ask.way()).getBytes(UTF_8))
                .add(KafkaHeaders.CORRELATION_ID, correlation.getBytes(UTF_8));
        producer.send(record).get();
    }

    private void keep(Ask ask, String answer) {
        KilledJvm.sayAtWork();
        jdbc.update(
                "insert into got (way, request, copy, answer) values (?, ?, ?, ?)",
                ask.way().name(),
                ask.request(),
                ask.copy(),
                answer);
    }

    /** Reads all replies from the first one on: one that came before the death of the caller does not come again. */
    private void read() {
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(kafka, new StringDeserializer(), new StringDeserializer())) {
            List<TopicPartition> partitions = new ArrayList<>();
            for (Way way : Way.values()) {
                for (int partition = 0; partition < PARTITIONS; partition++) {
                    partitions.add(new TopicPartition(replies(topic, way), partition));
                }
            }
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            while (true) {
                for (ConsumerRecord<String, String> reply : consumer.poll(Duration.ofMillis(100))) {
                    Way way = reply.topic().equals(replies(topic, Way.OUTBOX)) ? Way.OUTBOX : Way.ANSWERS;
                    String correlation = BenchTopic.header(reply, KafkaHeaders.CORRELATION_ID);
                    replies.computeIfAbsent(way + correlation, key -> new CompletableFuture<>())
                            .complete(reply.value());
                }
            }
        }
    }
}
