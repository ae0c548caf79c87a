package io.idempotency.spring;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.listener.MessageListenerContainer;

/**
 * The error handler of a container without one of the user's: Spring's own, with quarantine in the end. A record that could not be deserialized is one
 * that failed, with its raw bytes; Spring's handler would have it polled again and again, without a pause and without an end.
 */
final class QuarantiningErrorHandler extends DefaultErrorHandler {

    QuarantiningErrorHandler() {
        super(new QuarantineRecoverer());
    }

    @Override
    public void handleOtherException(
            Exception thrown, Consumer<?, ?> consumer, MessageListenerContainer container, boolean isBatch) {
        if (!(thrown instanceof RecordDeserializationException unreadable)) {
            super.handleOtherException(thrown, consumer, container, isBatch);
            return;
        }
        ConsumerRecord<?, ?> record = raw(unreadable);
        // Returns when it is in quarantine; until then it seeks back and throws.
        handleRemaining(thrown, List.of(record), consumer, container);
        consumer.seek(unreadable.topicPartition(), record.offset() + 1);
        PolledAgain.commit(consumer, container, List.of(record));
    }

    private static ConsumerRecord<?, ?> raw(RecordDeserializationException unreadable) {
        byte @Nullable [] key = bytes(unreadable.keyBuffer());
        byte @Nullable [] value = bytes(unreadable.valueBuffer());
        return new ConsumerRecord<byte @Nullable [], byte @Nullable []>(
                unreadable.topicPartition().topic(),
                unreadable.topicPartition().partition(),
                unreadable.offset(),
                unreadable.timestamp(),
                unreadable.timestampType(),
                size(key),
                size(value),
                key,
                value,
                unreadable.headers(),
                Optional.empty());
    }

    private static int size(byte @Nullable [] part) {
        return part == null ? ConsumerRecord.NULL_SIZE : part.length;
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
