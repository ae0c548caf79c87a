package io.idempotency.spring;

import io.idempotency.kafka.KafkaRecords;
import java.util.List;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.RecordDeserializationException;
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
        ConsumerRecord<?, ?> record = KafkaRecords.raw(unreadable);
        // Returns when it is in quarantine; until then it seeks back and throws.
        handleRemaining(thrown, List.of(record), consumer, container);
        consumer.seek(unreadable.topicPartition(), record.offset() + 1);
        PolledAgain.commit(consumer, container, List.of(record));
    }
}
