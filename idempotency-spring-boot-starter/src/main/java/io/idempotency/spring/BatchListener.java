package io.idempotency.spring;

import io.idempotency.BatchFailedException;
import io.idempotency.BatchResult;
import io.idempotency.IdempotentConsumer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.BatchListenerFailedException;
import org.springframework.kafka.listener.BatchMessageListener;
import org.springframework.kafka.support.Acknowledgment;

/**
 * Stands before a batch listener: it gets the records of the poll that are no duplicates, again without the one that failed where it names
 * one, else bisected. What it says by index counts in the list it was given.
 */
final class BatchListener extends PolledListener<BatchMessageListener<Object, Object>> {

    BatchListener(
            BatchMessageListener<Object, Object> delegate,
            IdempotentConsumer<ConsumerRecord<Object, Object>> idempotent) {
        super(delegate, idempotent);
    }

    @Override
    public boolean wantsPollResult() {
        return delegate.wantsPollResult();
    }

    @Override
    public void onMessage(
            ConsumerRecords<Object, Object> records,
            @Nullable Acknowledgment acknowledgment,
            Consumer<Object, Object> consumer) {
        List<ConsumerRecord<Object, Object>> list = new ArrayList<>(records.count());
        records.forEach(list::add);
        onMessage(list, acknowledgment, consumer);
    }

    @Override
    BatchResult consume(
            IdempotentConsumer<ConsumerRecord<Object, Object>> idempotent,
            List<ConsumerRecord<Object, Object>> records,
            boolean isManual,
            @Nullable Consumer<?, ?> consumer) {
        NackedRecords nacked = new NackedRecords(records);
        return idempotent.consumeBatch(records, (batch, claims) -> {
            nacked.requireNone(batch);
            RememberedAck ack =
                    isManual ? new RememberedAck("a batch of " + batch.size() + " records", batch.size()) : null;
            try {
                call(batch, ack, consumer);
            } catch (RuntimeException e) {
                throw named(e, batch, ack);
            }
            if (ack != null) {
                nacked.requireAcknowledged(batch, ack);
            }
        });
    }

    @SuppressWarnings("unchecked")
    private void call(
            List<ConsumerRecord<Object, Object>> batch,
            @Nullable Acknowledgment ack,
            @Nullable Consumer<?, ?> consumer) {
        if (wantsPollResult()) {
            delegate.onMessage(polled(batch), ack, (Consumer<Object, Object>) Objects.requireNonNull(consumer));
            return;
        }
        switch (delegateType) {
            case ACKNOWLEDGING_CONSUMER_AWARE -> delegate.onMessage(batch, ack, consumer);
            case ACKNOWLEDGING -> delegate.onMessage(batch, ack);
            case CONSUMER_AWARE -> delegate.onMessage(batch, consumer);
            case SIMPLE -> delegate.onMessage(batch);
        }
    }

    private static ConsumerRecords<Object, Object> polled(List<ConsumerRecord<Object, Object>> batch) {
        Map<TopicPartition, List<ConsumerRecord<Object, Object>>> records = new LinkedHashMap<>();
        batch.forEach(record -> records.computeIfAbsent(WaitingException.partition(record), key -> new ArrayList<>())
                .add(record));
        return new ConsumerRecords<>(records, Map.of());
    }

    /** Returns the failure with the place of the record that the listener named, or the one behind those it acknowledged. */
    private static Exception named(
            RuntimeException thrown, List<ConsumerRecord<Object, Object>> batch, @Nullable RememberedAck ack) {
        for (Throwable next = thrown; next != null; next = next.getCause()) {
            if (next instanceof BatchListenerFailedException failed) {
                int index = failed.getRecord() == null ? failed.getIndex() : batch.indexOf(failed.getRecord());
                if (index >= 0 && index < batch.size()) {
                    return new BatchFailedException(index, failed.getCause() == null ? failed : failed.getCause());
                }
            }
        }
        if (ack != null && ack.acknowledged() > 0 && ack.acknowledged() < batch.size()) {
            return new BatchFailedException(ack.acknowledged(), thrown);
        }
        return thrown;
    }
}
