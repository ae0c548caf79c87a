package io.idempotency.kafka;

import io.idempotency.MessageIdExtractor;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.TransientStoreException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.RecordDeserializationException;

/** A record that could not be deserialized, as its exception describes it. */
record RejectedRecord(RecordDeserializationException failure) {

    Position position() {
        return new Position(
                failure.topicPartition().topic(), failure.topicPartition().partition(), failure.offset());
    }

    Payload payload() {
        ConsumerRecord<byte[], byte[]> raw = KafkaRecords.raw(failure);
        Payload.Origin origin = failure.origin() == null ? Payload.Origin.POSITION_ONLY : Payload.Origin.RAW;
        return new Payload(raw.key(), raw.value(), KafkaRecords.headers(raw.headers()), origin);
    }

    /** Returns the id that the extractor finds in bytes and headers, or a stand-in. */
    String messageId(MessageIdExtractor<? super ConsumerRecord<byte[], byte[]>> ids) {
        ConsumerRecord<byte[], byte[]> raw = KafkaRecords.raw(failure);
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
}
