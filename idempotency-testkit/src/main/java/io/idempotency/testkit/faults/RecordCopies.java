package io.idempotency.testkit.faults;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;

/** Copies of Kafka records as a producer makes them that sends a message again. Loaded only if messages are records, because other code may have no Kafka. */
final class RecordCopies {

    private RecordCopies() {}

    /** Returns the record at the next offset. */
    @SuppressWarnings("unchecked")
    static <M> M copy(M message) {
        ConsumerRecord<Object, Object> record = (ConsumerRecord<Object, Object>) message;
        return (M) new ConsumerRecord<>(
                record.topic(),
                record.partition(),
                record.offset() + 1,
                record.timestamp(),
                record.timestampType(),
                record.serializedKeySize(),
                record.serializedValueSize(),
                record.key(),
                record.value(),
                new RecordHeaders(record.headers()),
                record.leaderEpoch());
    }
}
