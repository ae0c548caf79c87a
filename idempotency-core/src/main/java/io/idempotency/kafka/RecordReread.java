package io.idempotency.kafka;

import io.idempotency.FailureText;
import io.idempotency.store.Position;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the bytes of a record again from its topic for the quarantine, with a consumer of its own outside of any group. It accepts only a record
 * at the same offset with the same timestamp: after compaction or retention Kafka answers with the next record, and a topic that was created
 * again has another record there.
 *
 * <p>Thread-safe; one read at a time, each for at most five seconds. Connects at the first read.
 */
public final class RecordReread implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(RecordReread.class);
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final Set<String> OF_THE_GROUP = Set.of(
            ConsumerConfig.GROUP_ID_CONFIG,
            ConsumerConfig.GROUP_INSTANCE_ID_CONFIG,
            ConsumerConfig.GROUP_PROTOCOL_CONFIG,
            ConsumerConfig.GROUP_REMOTE_ASSIGNOR_CONFIG,
            ConsumerConfig.INTERCEPTOR_CLASSES_CONFIG,
            ConsumerConfig.CLIENT_ID_CONFIG);

    /** The poll that the loop of this thread is working on, for readers without a reader of their own. */
    private static final ThreadLocal<@Nullable Polled> POLLED = new ThreadLocal<>();

    private record Polled(ConsumerRecords<?, ?> records, RecordReread reread) {

        /** A handler may consume records of another cluster, with the same topics. */
        boolean has(ConsumerRecord<?, ?> wanted) {
            return records.records(KafkaRecords.partition(wanted)).stream().anyMatch(record -> record == wanted);
        }
    }

    private final Supplier<Consumer<byte[], byte[]>> connect;
    private final Duration timeout;
    private @Nullable Consumer<byte[], byte[]> consumer;

    RecordReread(Supplier<Consumer<byte[], byte[]>> connect, Duration timeout) {
        this.connect = connect;
        this.timeout = timeout;
    }

    /** Returns a reader that connects like the consumer with these properties. */
    public static RecordReread of(Map<String, ?> consumerProperties) {
        Map<String, Object> properties = outsideOfGroup(consumerProperties);
        properties.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 1);
        properties.put(ConsumerConfig.FETCH_MIN_BYTES_CONFIG, 1);
        properties.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
        properties.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
        return new RecordReread(() -> new KafkaConsumer<>(properties), TIMEOUT);
    }

    /** Returns the properties of a consumer that belongs to no group and reads only what it is told to. */
    static Map<String, Object> outsideOfGroup(Map<String, ?> consumerProperties) {
        Map<String, Object> properties = new HashMap<>(consumerProperties);
        properties.keySet().removeAll(OF_THE_GROUP);
        properties.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
        properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
        properties.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, "false");
        return properties;
    }

    /** Returns the reader of the poll loop on this thread; empty unless that loop polled this very record. */
    static Optional<RecordReread> ofLoop(ConsumerRecord<?, ?> record) {
        return Optional.ofNullable(POLLED.get())
                .filter(polled -> polled.has(record))
                .map(Polled::reread);
    }

    /** Runs the work on a poll, so that {@link #ofLoop} finds this reader. */
    void during(ConsumerRecords<?, ?> polled, Runnable work) {
        POLLED.set(new Polled(polled, this));
        try {
            work.run();
        } finally {
            POLLED.remove();
        }
    }

    /** The record cannot be read again; the text says why. */
    static final class Missing extends Exception {

        private static final long serialVersionUID = 1L;

        private final boolean isPassing;

        Missing(String why, boolean isPassing, @Nullable Throwable cause) {
            super(why, cause);
            this.isPassing = isPassing;
        }

        /** Returns whether another try may find it. */
        boolean isPassing() {
            return isPassing;
        }
    }

    /** Returns the record with its raw bytes; empty if it is gone or cannot be read in time, which the log says. */
    Optional<ConsumerRecord<byte[], byte[]>> read(ConsumerRecord<?, ?> wanted) {
        try {
            return Optional.of(require(wanted));
        } catch (Missing missing) {
            warnOfLoss(KafkaRecords.position(wanted), String.valueOf(missing.getMessage()));
            return Optional.empty();
        }
    }

    /**
     * Returns the record that is at a position now; empty if it is gone or cannot be read in time.
     *
     * @param timestamp the timestamp that it must have; {@link ConsumerRecord#NO_TIMESTAMP} for any
     */
    Optional<ConsumerRecord<byte[], byte[]>> at(Position position, long timestamp) {
        try {
            TopicPartition partition = new TopicPartition(position.stream(), position.partition());
            return Optional.of(require(partition, position.offset(), timestamp));
        } catch (Missing missing) {
            log.debug("The record {} cannot be read again: {}.", position, missing.getMessage());
            return Optional.empty();
        }
    }

    /** Returns the record with its raw bytes. */
    ConsumerRecord<byte[], byte[]> require(ConsumerRecord<?, ?> wanted) throws Missing {
        return require(KafkaRecords.partition(wanted), wanted.offset(), wanted.timestamp());
    }

    private synchronized ConsumerRecord<byte[], byte[]> require(TopicPartition partition, long offset, long timestamp)
            throws Missing {
        try {
            ConsumerRecord<byte[], byte[]> found = poll(connected(), partition, offset);
            if (found == null) {
                throw new Missing(
                        "nothing came within " + timeout.toSeconds()
                                + " s, because Kafka is away or it was the last one and is gone",
                        true,
                        null);
            } else if (found.offset() != offset) {
                throw new Missing(
                        "it is gone, as after a compaction, and the next one is at offset " + found.offset(),
                        false,
                        null);
            } else if (timestamp != ConsumerRecord.NO_TIMESTAMP && found.timestamp() != timestamp) {
                throw new Missing(
                        "another one is there, with another timestamp, as after a topic was created again",
                        false,
                        null);
            }
            return found;
        } catch (OffsetOutOfRangeException cut) {
            throw new Missing("it is gone: the log begins behind it", false, cut);
        } catch (InterruptException interrupted) {
            Thread.currentThread().interrupt();
            throw new Missing("the thread was interrupted", true, interrupted);
        } catch (KafkaException failure) {
            throw new Missing(FailureText.line(failure), failure instanceof RetriableException, failure);
        }
    }

    /** Returns whether the log is known to have nothing at the offset, and nothing behind it. Takes at most ten seconds. */
    synchronized boolean isBehindEnd(ConsumerRecord<?, ?> wanted) {
        try {
            TopicPartition partition = KafkaRecords.partition(wanted);
            Consumer<byte[], byte[]> from = connected();
            return from.position(partition, timeout) > wanted.offset()
                    || from.endOffsets(Set.of(partition), timeout).getOrDefault(partition, Long.MAX_VALUE)
                            <= wanted.offset();
        } catch (KafkaException away) {
            return false;
        }
    }

    private @Nullable ConsumerRecord<byte[], byte[]> poll(
            Consumer<byte[], byte[]> from, TopicPartition partition, long offset) {
        from.assign(Set.of(partition));
        from.seek(partition, offset);
        long start = System.nanoTime();
        for (Duration left = timeout; !left.isNegative(); left = timeout.minusNanos(System.nanoTime() - start)) {
            List<ConsumerRecord<byte[], byte[]>> records = from.poll(left).records(partition);
            if (!records.isEmpty()) {
                return records.get(0);
            }
        }
        return null;
    }

    static void warnOfLoss(Position position, String why) {
        log.warn(
                "The record {} cannot be read again for the quarantine, which keeps its headers, and key and value only if they"
                        + " were not deserialized: {}.",
                position,
                why);
    }

    private Consumer<byte[], byte[]> connected() {
        if (consumer == null) {
            consumer = connect.get();
        }
        return consumer;
    }

    @Override
    public synchronized void close() {
        if (consumer != null) {
            consumer.close();
            consumer = null;
        }
    }
}
