package io.idempotency.spring;

import io.idempotency.BatchResult;
import io.idempotency.IdempotentConsumer;
import io.idempotency.Stop;
import java.util.Comparator;
import java.util.List;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.BatchAcknowledgingConsumerAwareMessageListener;
import org.springframework.kafka.listener.BatchListenerFailedException;
import org.springframework.kafka.listener.adapter.AbstractDelegatingMessageListenerAdapter;
import org.springframework.kafka.support.Acknowledgment;

/**
 * Takes what a poll returned. Where a partition is left, it tells the container by a {@link BatchListenerFailedException} that names the first
 * record that is not settled; all before it has committed. Thread-safe: the threads of a container share it.
 *
 * @param <T> the listener behind it, for records or for batches
 */
abstract class PolledListener<T> extends AbstractDelegatingMessageListenerAdapter<T>
        implements BatchAcknowledgingConsumerAwareMessageListener<Object, Object> {

    private final IdempotentConsumer<ConsumerRecord<Object, Object>> idempotent;

    PolledListener(T delegate, IdempotentConsumer<ConsumerRecord<Object, Object>> idempotent) {
        super(delegate);
        this.idempotent = idempotent;
    }

    /** Runs the records through the idempotent consumer. */
    abstract BatchResult consume(
            IdempotentConsumer<ConsumerRecord<Object, Object>> idempotent,
            List<ConsumerRecord<Object, Object>> records,
            boolean isManual,
            @Nullable Consumer<?, ?> consumer);

    @Override
    public void onMessage(
            List<ConsumerRecord<Object, Object>> records,
            @Nullable Acknowledgment acknowledgment,
            @Nullable Consumer<?, ?> consumer) {
        BatchResult result;
        try {
            result = consume(idempotent, records, acknowledgment != null, consumer);
        } catch (RuntimeException e) {
            throw left(records.get(0), WaitingException.standingStill(records, e));
        }
        if (result.isSettled()) {
            if (acknowledgment != null) {
                acknowledge(records, acknowledgment);
            }
            return;
        }
        // The container takes all records in front of the one it is told of for done, whatever their partition is.
        Stop first = result.stops().stream()
                .min(Comparator.comparingInt(Stop::index))
                .orElseThrow();
        Throwable cause = first.cause().orElse(null);
        if (cause instanceof RememberedAck.Nack nack && acknowledgment != null) {
            acknowledgment.nack(first.index(), nack.sleep());
        } else if (cause != null && first.isCharged()) {
            throw left(records.get(first.index()), cause);
        } else {
            throw left(records.get(first.index()), WaitingException.of(records, result));
        }
    }

    private static void acknowledge(List<ConsumerRecord<Object, Object>> records, Acknowledgment acknowledgment) {
        try {
            acknowledgment.acknowledge();
        } catch (RuntimeException e) {
            // All is processed and recorded: that the offsets could not be committed is no failure of a record.
            throw left(records.get(0), WaitingException.offsetNotCommitted(records.get(0), e));
        }
    }

    private static BatchListenerFailedException left(ConsumerRecord<?, ?> record, Throwable cause) {
        return new BatchListenerFailedException(
                "Left at " + WaitingException.partition(record) + "@" + record.offset(), cause, record);
    }

    @Override
    public void onMessage(List<ConsumerRecord<Object, Object>> records) {
        onMessage(records, null, null);
    }

    @Override
    public void onMessage(List<ConsumerRecord<Object, Object>> records, @Nullable Acknowledgment acknowledgment) {
        onMessage(records, acknowledgment, null);
    }

    @Override
    public void onMessage(List<ConsumerRecord<Object, Object>> records, @Nullable Consumer<?, ?> consumer) {
        onMessage(records, null, consumer);
    }
}
