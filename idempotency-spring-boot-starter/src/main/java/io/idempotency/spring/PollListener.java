package io.idempotency.spring;

import io.idempotency.BatchResult;
import io.idempotency.IdempotentConsumer;
import java.util.List;
import org.apache.commons.logging.LogFactory;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.springframework.core.log.LogAccessor;
import org.springframework.kafka.listener.MessageListener;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.kafka.support.KafkaUtils;
import org.springframework.kafka.support.serializer.DeserializationException;
import org.springframework.kafka.support.serializer.SerializationUtils;

/**
 * Runs in front of a record listener whose polls are one transaction each. The container sees a batch listener; the application's listener is called
 * record by record.
 */
final class PollListener extends PolledListener<MessageListener<Object, Object>> {

    private static final LogAccessor log = new LogAccessor(LogFactory.getLog(PollListener.class));

    PollListener(
            MessageListener<Object, Object> delegate, IdempotentConsumer<ConsumerRecord<Object, Object>> idempotent) {
        super(delegate, idempotent);
    }

    @Override
    BatchResult consume(
            IdempotentConsumer<ConsumerRecord<Object, Object>> idempotent,
            List<ConsumerRecord<Object, Object>> records,
            boolean isManual,
            @Nullable Consumer<?, ?> consumer) {
        return idempotent.consumeAll(records, (record, claim) -> {
            requireDeserialized(record);
            Outputs.awaited(idempotent.level(), () -> call(record, consumer));
            PersistenceContexts.end();
        });
    }

    private void call(ConsumerRecord<Object, Object> record, @Nullable Consumer<?, ?> consumer) {
        switch (delegateType) {
            case ACKNOWLEDGING_CONSUMER_AWARE -> delegate.onMessage(record, null, consumer);
            case ACKNOWLEDGING -> delegate.onMessage(record, (Acknowledgment) null);
            case CONSUMER_AWARE -> delegate.onMessage(record, consumer);
            case SIMPLE -> delegate.onMessage(record);
        }
    }

    /**
     * Fails a record that an ErrorHandlingDeserializer could not read, and for which it left null and a header. The container does so for record
     * listeners only.
     */
    static void requireDeserialized(ConsumerRecord<Object, Object> record) {
        require(record, record.key(), KafkaUtils.KEY_DESERIALIZER_EXCEPTION_HEADER);
        require(record, record.value(), KafkaUtils.VALUE_DESERIALIZER_EXCEPTION_HEADER);
    }

    private static void require(ConsumerRecord<Object, Object> record, @Nullable Object part, String header) {
        if (part instanceof DeserializationException failure) {
            throw failure;
        }
        DeserializationException failure =
                part == null ? SerializationUtils.getExceptionFromHeader(record, header, log) : null;
        if (failure != null) {
            throw failure;
        }
    }
}
