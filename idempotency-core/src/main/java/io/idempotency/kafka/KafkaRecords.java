package io.idempotency.kafka;

import io.idempotency.IdempotentConsumer;
import io.idempotency.IdempotentConsumerBuilder;
import io.idempotency.MessageReader;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.InvalidMessageIdException;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.StandIn;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;

/** Makes idempotent consumers of Kafka records, and reads position, raw bytes and stand-in id of a {@link ConsumerRecord}. */
public final class KafkaRecords {

    private KafkaRecords() {}

    /**
     * Returns a builder for a consumer of records, with {@link MessageIds#defaults()} and {@link #reader()}; both can be
     * replaced.
     *
     * @param name the logical name of the processing step, never the {@code group.id}
     */
    public static <K, V> IdempotentConsumerBuilder<ConsumerRecord<K, V>> consumer(String name) {
        return IdempotentConsumer.<ConsumerRecord<K, V>>named(name)
                .messageId(MessageIds.defaults())
                .reader(reader());
    }

    /**
     * Returns a reader that keeps the raw bytes of a record whose key and value are byte arrays. Any other record is read again from Kafka if a
     * {@link PollLoop} polled it. If not, only its headers are kept, and the log warns; see {@link #reader(RecordReread)}.
     */
    public static <K, V> MessageReader<ConsumerRecord<K, V>> reader() {
        return new RecordReader<>(Optional.empty());
    }

    /** Returns a reader that reads the bytes again from Kafka if the record does not have them. */
    public static <K, V> MessageReader<ConsumerRecord<K, V>> reader(RecordReread reread) {
        return new RecordReader<>(Optional.of(reread));
    }

    /** Returns a record that could not be deserialized, with the raw bytes that the exception of {@code poll} carries. */
    public static ConsumerRecord<byte[], byte[]> raw(RecordDeserializationException failure) {
        byte @Nullable [] key = bytes(failure.keyBuffer());
        byte @Nullable [] value = bytes(failure.valueBuffer());
        return new ConsumerRecord<>(
                failure.topicPartition().topic(),
                failure.topicPartition().partition(),
                failure.offset(),
                failure.timestamp(),
                failure.timestampType() == null ? TimestampType.NO_TIMESTAMP_TYPE : failure.timestampType(),
                key == null ? ConsumerRecord.NULL_SIZE : key.length,
                value == null ? ConsumerRecord.NULL_SIZE : value.length,
                key,
                value,
                failure.headers() == null ? new RecordHeaders() : failure.headers(),
                Optional.empty());
    }

    /** Returns a record with its raw bytes: as it is if it has them, otherwise read again; empty if it is gone. */
    static Optional<ConsumerRecord<byte[], byte[]>> raw(ConsumerRecord<?, ?> record, RecordReread reread) {
        if (record instanceof SharedRecord<?, ?> shared) {
            return Optional.of(shared.raw());
        }
        if (!RecordReader.isRaw(record.key(), record.serializedKeySize())
                || !RecordReader.isRaw(record.value(), record.serializedValueSize())) {
            return reread.at(position(record), record.timestamp());
        }
        return Optional.of(new ConsumerRecord<>(
                record.topic(),
                record.partition(),
                record.offset(),
                record.timestamp(),
                record.timestampType(),
                record.serializedKeySize(),
                record.serializedValueSize(),
                (byte[]) record.key(),
                (byte[]) record.value(),
                record.headers(),
                record.leaderEpoch()));
    }

    private static byte @Nullable [] bytes(@Nullable ByteBuffer buffer) {
        if (buffer == null) {
            return null;
        }
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return bytes;
    }

    static Position position(ConsumerRecord<?, ?> record) {
        return new Position(record.topic(), record.partition(), record.offset());
    }

    /**
     * Returns an id for a record without a usable one, made of everything that the log keeps when the record is moved or compacted. Headers do not
     * count, because deserializers and interceptors add some at each delivery.
     */
    static String standIn(ConsumerRecord<?, ?> record) {
        byte[] kept = ByteBuffer.allocate(Long.BYTES + 3 * Integer.BYTES)
                .putLong(record.timestamp())
                .putInt(record.leaderEpoch().orElse(-1))
                .putInt(record.serializedKeySize())
                .putInt(record.serializedValueSize())
                .array();
        return StandIn.of(position(record), bytes(record.key()), bytes(record.value()), kept);
    }

    /** Returns the bytes of a string or byte array; null for any other object. */
    private static byte @Nullable [] bytes(@Nullable Object part) {
        if (part instanceof String text) {
            return text.getBytes(StandardCharsets.UTF_8);
        }
        return part instanceof byte[] raw ? raw : null;
    }

    static TopicPartition partition(ConsumerRecord<?, ?> record) {
        return new TopicPartition(record.topic(), record.partition());
    }

    /**
     * Returns the offset of a record with its leader epoch. Kafka compares it after a change of leaders, and so notices a log that was truncated
     * before the record.
     */
    static OffsetAndMetadata offset(ConsumerRecord<?, ?> record) {
        return new OffsetAndMetadata(record.offset(), record.leaderEpoch(), "");
    }

    static List<Payload.Header> headers(@Nullable Headers headers) {
        List<Payload.Header> copies = new ArrayList<>();
        if (headers != null) {
            headers.forEach(header -> copies.add(new Payload.Header(header.key(), header.value())));
        }
        return copies;
    }

    /** The header that spring-kafka adds to records of retry topics. */
    private static final String ORIGINAL_TOPIC = "kafka_original-topic";

    private record RecordReader<K, V>(Optional<RecordReread> reread) implements MessageReader<ConsumerRecord<K, V>> {

        @Override
        public Position position(ConsumerRecord<K, V> record) {
            return KafkaRecords.position(record);
        }

        /** Only a share group counts deliveries. */
        @Override
        public boolean isShared(ConsumerRecord<K, V> record) {
            return record.deliveryCount().isPresent();
        }

        @Override
        public long timestamp(ConsumerRecord<K, V> record) {
            return record.timestamp();
        }

        @Override
        public Optional<?> key(ConsumerRecord<K, V> record) {
            Object key = record.key();
            if (key == null && record.serializedKeySize() != ConsumerRecord.NULL_SIZE) {
                throw new IdempotencyException("Its key was deserialized to null, so it is unknown");
            }
            return Optional.ofNullable(key instanceof Bytes bytes ? bytes.get() : key);
        }

        @Override
        public Payload payload(ConsumerRecord<K, V> record) {
            if (record instanceof SharedRecord<K, V> shared) {
                return shared.payload();
            }
            if (isRaw(record.key(), record.serializedKeySize())
                    && isRaw(record.value(), record.serializedValueSize())) {
                return new Payload(
                        (byte[]) record.key(), (byte[]) record.value(), headers(record.headers()), Payload.Origin.RAW);
            }
            Optional<RecordReread> again = reread.or(() -> RecordReread.ofLoop(record));
            if (again.isEmpty()) {
                RecordReread.warnOfLoss(
                        position(record), "its consumer has no KafkaRecords.reader(RecordReread.of(properties))");
            }
            return again.flatMap(from -> from.read(record))
                    .map(raw -> new Payload(raw.key(), raw.value(), headers(raw.headers()), Payload.Origin.REREAD))
                    .orElseGet(() -> left(record));
        }

        private static Payload left(ConsumerRecord<?, ?> record) {
            return new Payload(
                    raw(record.key(), record.serializedKeySize()),
                    raw(record.value(), record.serializedValueSize()),
                    headers(record.headers()),
                    Payload.Origin.POSITION_ONLY);
        }

        private static byte @Nullable [] raw(@Nullable Object part, int serializedSize) {
            return isRaw(part, serializedSize) ? (byte[]) part : null;
        }

        @Override
        public String standIn(ConsumerRecord<K, V> record) {
            return KafkaRecords.standIn(record);
        }

        @Override
        public void requireHome(ConsumerRecord<K, V> record) {
            if (isRaw(record.key(), record.serializedKeySize()) && record.key() == null) {
                throw new InvalidMessageIdException("The record at " + position(record)
                        + " has no key, so a copy of it may be in any partition, and the store detects"
                        + " a copy only in the partition of the original. Send a key, use a store that knows all partitions, or have"
                        + " this one accept missed duplicates");
            }
            if (record.headers().lastHeader(ORIGINAL_TOPIC) != null) {
                throw new InvalidMessageIdException("The record at " + position(record)
                        + " comes from a retry topic, and the store detects a copy only in"
                        + " the partition of the original. Use a store that knows all partitions, or have"
                        + " this one accept missed duplicates");
            }
        }

        /** Returns whether the part is as it was in the log. A deserializer may turn bytes into null or into other bytes. Records made by hand have no sizes. */
        private static boolean isRaw(@Nullable Object part, int serializedSize) {
            boolean isUnsized = serializedSize == ConsumerRecord.NULL_SIZE;
            return part == null
                    ? isUnsized
                    : part instanceof byte[] bytes && (isUnsized || bytes.length == serializedSize);
        }
    }
}
