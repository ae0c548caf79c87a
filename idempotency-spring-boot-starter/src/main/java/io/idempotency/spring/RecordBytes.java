package io.idempotency.spring;

import io.idempotency.MessageReader;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.RecordReread;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.commons.logging.LogFactory;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.springframework.core.log.LogAccessor;
import org.springframework.kafka.support.KafkaUtils;
import org.springframework.kafka.support.serializer.DeserializationException;
import org.springframework.kafka.support.serializer.SerializationUtils;

/**
 * Reads the raw bytes of a listener's record from its topic again. It does so even if an ErrorHandlingDeserializer has kept some, because other
 * deserializers may have removed headers. The kept bytes are used if the record is gone. Thread-safe.
 */
final class RecordBytes implements MessageReader<ConsumerRecord<Object, Object>> {

    private static final LogAccessor log = new LogAccessor(LogFactory.getLog(RecordBytes.class));
    private static final Set<String> FAILURES =
            Set.of(KafkaUtils.KEY_DESERIALIZER_EXCEPTION_HEADER, KafkaUtils.VALUE_DESERIALIZER_EXCEPTION_HEADER);

    private final MessageReader<ConsumerRecord<Object, Object>> records;

    RecordBytes(RecordReread reread) {
        this.records = KafkaRecords.reader(reread);
    }

    @Override
    public Payload payload(ConsumerRecord<Object, Object> record) {
        Payload payload = records.payload(record);
        if (payload.origin() != Payload.Origin.POSITION_ONLY) {
            return payload;
        }
        List<Payload.Header> headers = payload.headers().stream()
                .filter(header -> !FAILURES.contains(header.name()))
                .toList();
        return new Payload(
                left(payload.key(), record.key(), record, KafkaUtils.KEY_DESERIALIZER_EXCEPTION_HEADER),
                left(payload.value(), record.value(), record, KafkaUtils.VALUE_DESERIALIZER_EXCEPTION_HEADER),
                headers,
                payload.origin());
    }

    private static byte @Nullable [] left(
            byte @Nullable [] bytes, @Nullable Object part, ConsumerRecord<?, ?> record, String header) {
        if (bytes != null) {
            return bytes;
        }
        DeserializationException failure = part instanceof DeserializationException itself
                ? itself
                : SerializationUtils.getExceptionFromHeader(record, header, log);
        return failure == null ? null : failure.getData();
    }

    @Override
    public Position position(ConsumerRecord<Object, Object> record) {
        return records.position(record);
    }

    @Override
    public boolean isShared(ConsumerRecord<Object, Object> record) {
        return records.isShared(record);
    }

    /** If the key could not be deserialized, its bytes are the key. */
    @Override
    public Optional<?> key(ConsumerRecord<Object, Object> record) {
        byte[] undeserialized = left(null, record.key(), record, KafkaUtils.KEY_DESERIALIZER_EXCEPTION_HEADER);
        return undeserialized == null ? records.key(record) : Optional.of(undeserialized);
    }

    @Override
    public long timestamp(ConsumerRecord<Object, Object> record) {
        return records.timestamp(record);
    }

    @Override
    public String standIn(ConsumerRecord<Object, Object> record) {
        return records.standIn(record);
    }

    @Override
    public void requireHome(ConsumerRecord<Object, Object> record) {
        records.requireHome(record);
    }
}
