package io.idempotency.kafka;

import io.idempotency.MessageIdExtractor;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.TransientStoreException;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;

/** A record that could not be deserialized: what its exception tells about it. */
record RejectedRecord(RecordDeserializationException failure) {

    Position position() {
        return new Position(
                failure.topicPartition().topic(), failure.topicPartition().partition(), failure.offset());
    }

    Payload payload() {
        Payload.Origin origin = failure.origin() == null ? Payload.Origin.POSITION_ONLY : Payload.Origin.RAW;
        return new Payload(
                bytes(failure.keyBuffer()),
                bytes(failure.valueBuffer()),
                KafkaRecords.headers(failure.headers()),
                origin);
    }

    /** Returns the id that the extractor finds in bytes and headers, else one that stands in for it. */
    String messageId(MessageIdExtractor<? super ConsumerRecord<byte[], byte[]>> ids) {
        byte @Nullable [] key = bytes(failure.keyBuffer());
        byte @Nullable [] value = bytes(failure.valueBuffer());
        ConsumerRecord<byte[], byte[]> raw = new ConsumerRecord<>(
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
        try {
            return ids.messageId(raw).orElseGet(() -> KafkaRecords.standIn(raw));
        } catch (TransientStoreException later) {
            throw later;
        } catch (Throwable unusable) {
            Contained.letFatalLeave(unusable);
            failure.addSuppressed(unusable);
            return KafkaRecords.standIn(raw);
        }
    }

    private static byte @Nullable [] bytes(@Nullable ByteBuffer buffer) {
        if (buffer == null) {
            return null;
        }
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return bytes;
    }
}
