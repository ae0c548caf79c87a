package io.idempotency.benchmarks;

import io.idempotency.benchmarks.Topic.Ids;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/** Fills topics with messages of {@value #VALUE_BYTES} bytes, each with an id and a key. */
final class Topics implements AutoCloseable {

    private static final int VALUE_BYTES = 200;
    private static final int ACCOUNTS = 1_000;
    private static final double COPIES = 0.1;

    private final Admin admin;
    private final KafkaProducer<byte[], byte[]> producer;
    private final Set<Topic> there = new HashSet<>();

    Topics(String broker) {
        this.admin = Admin.create(Map.of("bootstrap.servers", broker));
        this.producer = new KafkaProducer<>(
                Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, broker),
                new ByteArraySerializer(),
                new ByteArraySerializer());
    }

    /** Creates the topic and waits until all its partitions accept messages: earlier ones could stay out of order. */
    void create(Topic topic) throws ExecutionException, InterruptedException {
        admin.createTopics(List.of(new NewTopic(topic.name(), topic.partitions(), (short) 1)))
                .all()
                .get();
        Map<TopicPartition, OffsetSpec> ends = new HashMap<>();
        for (int partition = 0; partition < topic.partitions(); partition++) {
            ends.put(new TopicPartition(topic.name(), partition), OffsetSpec.latest());
        }
        admin.listOffsets(ends).all().get();
    }

    /** Creates the topic and fills it, unless it exists. */
    void require(Topic topic) throws ExecutionException, InterruptedException {
        if (there.add(topic)) {
            create(topic);
            fill(topic);
        }
    }

    /** Sends all messages of the topic, to each partition in turn. */
    private void fill(Topic topic) {
        Messages messages = new Messages(topic);
        AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
        for (long i = 0; i < topic.messages(); i++) {
            Future<?> unused = producer.send(messages.next(), (metadata, e) -> failure.compareAndSet(null, e));
        }
        producer.flush();
        if (failure.get() != null) {
            throw new IllegalStateException("Cannot fill " + topic.name(), failure.get());
        }
    }

    /** Sends messages one by one, at the given rate, until the thread is interrupted. */
    void pace(Topic topic, int perSecond) {
        Messages messages = new Messages(topic);
        long began = System.nanoTime();
        for (long i = 0; !Thread.currentThread().isInterrupted(); i++) {
            try {
                TimeUnit.NANOSECONDS.sleep(began + i * 1_000_000_000L / perSecond - System.nanoTime());
                producer.send(messages.next()).get();
            } catch (InterruptedException | InterruptException e) {
                return;
            } catch (ExecutionException e) {
                throw new IllegalStateException("Cannot send to " + topic.name(), e);
            }
        }
    }

    @Override
    public void close() {
        producer.close();
        admin.close();
    }

    /** Creates the messages of a topic in the order of sending. */
    private static final class Messages {

        private final Topic topic;
        private final SplittableRandom random;
        private final String[][] sent;
        private long count;

        Messages(Topic topic) {
            this.topic = topic;
            this.random = new SplittableRandom(topic.name().hashCode());
            this.sent = new String[topic.partitions()][topic.ids() == Ids.COPIES ? Topic.KNOWN : Topic.NEAR];
        }

        ProducerRecord<byte[], byte[]> next() {
            int partition = (int) (count % topic.partitions());
            long number = count++ / topic.partitions();
            ProducerRecord<byte[], byte[]> message = new ProducerRecord<>(
                    topic.name(),
                    partition,
                    ("account-" + random.nextInt(ACCOUNTS)).getBytes(StandardCharsets.UTF_8),
                    value());
            message.headers().add("message-id", id(sent[partition], number).getBytes(StandardCharsets.UTF_8));
            return message;
        }

        private byte[] value() {
            ByteBuffer value = ByteBuffer.allocate(VALUE_BYTES);
            value.putLong(random.nextLong(1_000_000));
            while (value.hasRemaining()) {
                value.putLong(random.nextLong());
            }
            return value.array();
        }

        private String id(String[] sent, long number) {
            int place = (int) (number % sent.length);
            boolean isCopy = switch (topic.ids()) {
                case NEW -> false;
                case TENTH_COPIES -> number >= sent.length && random.nextDouble() < COPIES;
                case COPIES -> number >= sent.length;
            };
            if (isCopy) {
                return sent[topic.ids() == Ids.COPIES ? place : random.nextInt(sent.length)];
            }
            sent[place] = newId();
            return sent[place];
        }

        /** Returns a random UUID of version 4. */
        private String newId() {
            long high = (random.nextLong() & ~0xF000L) | 0x4000L;
            long low = (random.nextLong() & ~(0b11L << 62)) | (0b10L << 62);
            return new UUID(high, low).toString();
        }
    }
}
