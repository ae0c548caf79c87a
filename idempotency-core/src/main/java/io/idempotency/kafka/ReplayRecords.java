package io.idempotency.kafka;

import io.idempotency.FailureText;
import io.idempotency.replay.UnreadableBytesException;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.TransientStoreException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/**
 * Makes records of quarantined messages, as a Kafka consumer with the same deserializers returns them: topic, partition, offset, timestamp and headers are
 * those of the original. One header more, {@value #HEADER}, says that it is a replay; deserializers do not see it. Null bytes become null without a
 * deserializer. The leader epoch is not kept.
 *
 * <p>Bytes that were not kept are read again from Kafka, at their very position. Deserializers are not thread-safe, so neither is this: use it on the thread
 * of one {@link io.idempotency.Replayer}.
 */
public final class ReplayRecords<K, V> implements AutoCloseable {

    /** The header of a record of a replay; its value is the id of the replay. */
    public static final String HEADER = "idempotency-replay";

    private final Deserializer<K> keys;
    private final Deserializer<V> values;
    private final RecordReread reread;

    /** Uses these deserializers, which belong to this from now on, and a reader that belongs to the caller. */
    public ReplayRecords(Deserializer<K> keys, Deserializer<V> values, RecordReread reread) {
        this.keys = keys;
        this.values = values;
        this.reread = reread;
    }

    /**
     * Makes records as a consumer with these properties does: with new instances of its {@code key.deserializer} and {@code value.deserializer}, configured
     * with them.
     *
     * @throws IdempotencyException if a deserializer is missing
     * @throws KafkaException if a deserializer cannot be created
     */
    public static <K, V> ReplayRecords<K, V> of(Map<String, Object> consumerProperties, RecordReread reread) {
        return of(consumerProperties, Optional.empty(), Optional.empty(), reread);
    }

    /**
     * Makes records as a consumer with these properties does, to which a program may have given deserializers. Those are used as they are; they belong to this
     * from now on.
     *
     * @throws IdempotencyException if a deserializer is missing
     * @throws KafkaException if a deserializer cannot be created
     */
    public static <K, V> ReplayRecords<K, V> of(
            Map<String, Object> consumerProperties,
            Optional<Deserializer<K>> keys,
            Optional<Deserializer<V>> values,
            RecordReread reread) {
        return new ReplayRecords<>(
                keys.orElseGet(
                        () -> deserializer(consumerProperties, ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, true)),
                values.orElseGet(
                        () -> deserializer(consumerProperties, ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, false)),
                reread);
    }

    @SuppressWarnings("unchecked") // as KafkaConsumer does
    static <T> Deserializer<T> deserializer(Map<String, Object> properties, String name, boolean isKey) {
        Object type = properties.get(name);
        try {
            Deserializer<T> deserializer;
            if (type instanceof Class<?> known) {
                deserializer = (Deserializer<T>) Utils.newInstance(known);
            } else if (type instanceof String text) {
                deserializer = (Deserializer<T>) Utils.newInstance(text.trim(), Deserializer.class);
            } else {
                throw new IdempotencyException(
                        name + " is missing in the properties of the consumer: records are made of their bytes");
            }
            deserializer.configure(properties, isKey);
            return deserializer;
        } catch (ClassNotFoundException e) {
            throw new KafkaException("The class of " + name + ", " + type + ", was not found", e);
        }
    }

    /**
     * Returns the record of a quarantined message. Takes at most fifteen seconds if it is read again from Kafka.
     *
     * @param replay the id of the replay
     * @throws UnreadableBytesException if the bytes are gone or cannot be deserialized
     * @throws TransientStoreException if Kafka could not be asked
     */
    public ConsumerRecord<K, V> record(QuarantineEntry entry, String replay) {
        Position position = entry.message().delivery().position();
        Payload payload = entry.message().payload();
        RecordHeaders headers;
        byte @Nullable [] key = payload.key();
        byte @Nullable [] value = payload.value();
        long timestamp = entry.message().delivery().timestamp();
        if (isKept(payload)) {
            headers = new RecordHeaders();
            payload.headers().forEach(header -> headers.add(header.name(), header.value()));
        } else {
            ConsumerRecord<byte[], byte[]> again = readAgain(position, timestamp);
            headers = new RecordHeaders(again.headers());
            key = again.key();
            value = again.value();
            timestamp = again.timestamp();
        }
        ConsumerRecord<K, V> record = new ConsumerRecord<>(
                position.stream(),
                position.partition(),
                position.offset(),
                timestamp,
                timestamp < 0 ? TimestampType.NO_TIMESTAMP_TYPE : TimestampType.CREATE_TIME,
                size(key),
                size(value),
                read(keys, "key", position, headers, key),
                read(values, "value", position, headers, value),
                headers,
                Optional.empty());
        record.headers().add(HEADER, replay.getBytes(StandardCharsets.UTF_8));
        return record;
    }

    private static boolean isKept(Payload payload) {
        return payload.origin() == Payload.Origin.RAW || payload.origin() == Payload.Origin.REREAD;
    }

    private ConsumerRecord<byte[], byte[]> readAgain(Position position, long timestamp) {
        if (position.equals(Position.UNKNOWN)) {
            throw new UnreadableBytesException(
                    "The bytes of the message were not kept, and it has no position to read them again from."
                            + " Ask its sender to send it again");
        }
        ConsumerRecord<byte[], byte[]> wanted = new ConsumerRecord<>(
                position.stream(),
                position.partition(),
                position.offset(),
                Math.max(timestamp, ConsumerRecord.NO_TIMESTAMP),
                TimestampType.CREATE_TIME,
                ConsumerRecord.NULL_SIZE,
                ConsumerRecord.NULL_SIZE,
                new byte[0],
                new byte[0],
                new RecordHeaders(),
                Optional.empty());
        try {
            return reread.require(wanted);
        } catch (RecordReread.Missing missing) {
            if (missing.isPassing() && !reread.isBehindEnd(wanted)) {
                throw new TransientStoreException(
                        "The record " + position + " could not be read again: " + missing.getMessage(), missing);
            }
            throw new UnreadableBytesException("The bytes of " + position
                    + " were not kept, and cannot be read again: " + missing.getMessage()
                    + ". Ask its sender to send it again");
        }
    }

    private static <T> @Nullable T read(
            Deserializer<T> deserializer, String part, Position position, Headers headers, byte @Nullable [] bytes) {
        if (bytes == null) {
            return null;
        }
        try {
            return deserializer.deserialize(position.stream(), headers, bytes);
        } catch (RuntimeException | StackOverflowError failure) {
            throw new UnreadableBytesException(
                    "The " + part + " of " + position + " cannot be deserialized: " + FailureText.line(failure),
                    failure);
        }
    }

    private static int size(byte @Nullable [] bytes) {
        return bytes == null ? ConsumerRecord.NULL_SIZE : bytes.length;
    }

    /** Closes the deserializers. */
    @Override
    public void close() {
        Utils.closeQuietly(keys, "key deserializer");
        Utils.closeQuietly(values, "value deserializer");
    }
}
