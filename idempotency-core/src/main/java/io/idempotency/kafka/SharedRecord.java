package io.idempotency.kafka;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Payload;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.apache.kafka.common.errors.RecordDeserializationException.DeserializationExceptionOrigin;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/** A record of a share group as a handler gets it, for one attempt: key, value and headers are new objects, made from bytes that stay unchanged. */
final class SharedRecord<K, V> extends ConsumerRecord<K, V> {

    private final ConsumerRecord<byte[], byte[]> raw;

    private SharedRecord(ConsumerRecord<byte[], byte[]> raw, @Nullable K key, @Nullable V value, Headers headers) {
        super(
                raw.topic(),
                raw.partition(),
                raw.offset(),
                raw.timestamp(),
                raw.timestampType(),
                raw.serializedKeySize(),
                raw.serializedValueSize(),
                key,
                value,
                headers,
                raw.leaderEpoch(),
                raw.deliveryCount());
        this.raw = raw;
    }

    /** The deserializers of a consumer. Used on one thread at a time. */
    record Form<K, V>(Deserializer<K> keys, Deserializer<V> values) implements AutoCloseable {

        /**
         * Returns the record for one attempt.
         *
         * @throws RecordDeserializationException if it has none, with the cause and all bytes, as {@code poll} of a consumer throws it
         */
        SharedRecord<K, V> read(ConsumerRecord<byte[], byte[]> raw) {
            Headers headers = new RecordHeaders(raw.headers().toArray());
            DeserializationExceptionOrigin origin = DeserializationExceptionOrigin.KEY;
            try {
                K key = part(keys, raw.topic(), headers, raw.key());
                origin = DeserializationExceptionOrigin.VALUE;
                V value = part(values, raw.topic(), headers, raw.value());
                return new SharedRecord<>(raw, key, value, headers);
            } catch (RuntimeException | Error failure) {
                Contained.letFatalLeave(failure);
                throw unreadable(raw, origin, failure);
            }
        }

        /** @throws IdempotencyException if a deserializer is missing */
        static <K, V> Form<K, V> of(
                Map<String, Object> properties, Optional<Deserializer<K>> keys, Optional<Deserializer<V>> values) {
            return new Form<>(
                    keys.orElseGet(() ->
                            ReplayRecords.deserializer(properties, ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, true)),
                    values.orElseGet(() -> ReplayRecords.deserializer(
                            properties, ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, false)));
        }

        @Override
        public void close() {
            Utils.closeQuietly(keys, "key deserializer");
            Utils.closeQuietly(values, "value deserializer");
        }

        private static <T> @Nullable T part(
                Deserializer<T> deserializer, String topic, Headers headers, byte @Nullable [] bytes) {
            return bytes == null ? null : deserializer.deserialize(topic, headers, bytes.clone());
        }
    }

    private static RecordDeserializationException unreadable(
            ConsumerRecord<byte[], byte[]> raw, DeserializationExceptionOrigin origin, Throwable failure) {
        TopicPartition partition = KafkaRecords.partition(raw);
        return new RecordDeserializationException(
                origin,
                partition,
                raw.offset(),
                raw.timestamp(),
                raw.timestampType(),
                raw.key() == null ? null : ByteBuffer.wrap(raw.key()),
                raw.value() == null ? null : ByteBuffer.wrap(raw.value()),
                new RecordHeaders(raw.headers().toArray()),
                "The " + origin.name().toLowerCase(Locale.ROOT) + " of the record " + KafkaRecords.position(raw)
                        + " cannot be deserialized",
                failure);
    }

    ConsumerRecord<byte[], byte[]> raw() {
        return raw;
    }

    Payload payload() {
        return new Payload(raw.key(), raw.value(), KafkaRecords.headers(raw.headers()), Payload.Origin.RAW);
    }
}
