package io.idempotency.spring;

import io.idempotency.BatchFailedException;
import io.idempotency.BatchResult;
import io.idempotency.IdempotentConsumer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.BatchListenerFailedException;
import org.springframework.kafka.listener.BatchMessageListener;
import org.springframework.kafka.support.Acknowledgment;

/**
 * Runs in front of a batch listener, and hands it the records of a poll without the duplicates. After a failure the records are polled again: up to
 * the record that the listener named, or fewer and fewer until one fails alone. Indexes that the listener names count in the list that it was given.
 */
final class BatchListener extends PolledListener<BatchMessageListener<Object, Object>> {

    /** The offsets that the listener nacked. Nothing behind them is handed over before the container has waited. */
    private final Map<TopicPartition, Long> nacked = new ConcurrentHashMap<>();

    private final boolean isAwaited;

    BatchListener(
            BatchMessageListener<Object, Object> delegate,
            IdempotentConsumer<ConsumerRecord<Object, Object>> idempotent,
            boolean isAwaited) {
        super(delegate, idempotent);
        this.isAwaited = isAwaited;
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
    List<ConsumerRecord<Object, Object>> due(List<ConsumerRecord<Object, Object>> records) {
        for (int i = 0; !nacked.isEmpty() && i < records.size(); i++) {
            if (nacked.remove(
                    WaitingException.partition(records.get(i)), records.get(i).offset())) {
                return records.subList(0, i + 1);
            }
        }
        return records;
    }

    @Override
    BatchResult consume(
            IdempotentConsumer<ConsumerRecord<Object, Object>> idempotent,
            List<ConsumerRecord<Object, Object>> records,
            boolean isManual,
            @Nullable Consumer<?, ?> consumer) {
        return idempotent.consumeBatch(records, (batch, claims) -> {
            RememberedAck ack = isAwaited || isManual ? RememberedAck.of(batch, isAwaited) : null;
            // A filter may remove records from the list that it gets. Indexes then count in the rest.
            List<ConsumerRecord<Object, Object>> given = new ArrayList<>(batch);
            try {
                Outputs.awaited(idempotent.level(), () -> call(given, ack, consumer));
                if (ack != null) {
                    ack.requireAcknowledged(given);
                }
            } catch (BatchFailedException e) {
                BatchFailedException failure = placed(given, e.index(), e.getCause(), batch);
                if (failure.getCause() instanceof RememberedAck.Nack && batch.size() > 1) {
                    ConsumerRecord<?, ?> at = batch.get(failure.index());
                    nacked.put(WaitingException.partition(at), at.offset());
                }
                throw failure;
            } catch (RuntimeException e) {
                throw named(e, given, batch);
            }
        });
    }

    @SuppressWarnings("unchecked")
    private void call(
            List<ConsumerRecord<Object, Object>> given,
            @Nullable RememberedAck ack,
            @Nullable Consumer<?, ?> consumer) {
        if (wantsPollResult()) {
            delegate.onMessage(polled(given), ack, (Consumer<Object, Object>) Objects.requireNonNull(consumer));
            return;
        }
        switch (delegateType) {
            case ACKNOWLEDGING_CONSUMER_AWARE -> delegate.onMessage(given, ack, consumer);
            case ACKNOWLEDGING -> delegate.onMessage(given, ack);
            case CONSUMER_AWARE -> delegate.onMessage(given, consumer);
            case SIMPLE -> delegate.onMessage(given);
        }
    }

    private static ConsumerRecords<Object, Object> polled(List<ConsumerRecord<Object, Object>> batch) {
        Map<TopicPartition, List<ConsumerRecord<Object, Object>>> records = new LinkedHashMap<>();
        batch.forEach(record -> records.computeIfAbsent(WaitingException.partition(record), key -> new ArrayList<>())
                .add(record));
        return new ConsumerRecords<>(records, Map.of());
    }

    /** Returns the failure with the index of the record that the listener named, if it named one. */
    private static Exception named(
            RuntimeException thrown,
            List<ConsumerRecord<Object, Object>> given,
            List<ConsumerRecord<Object, Object>> batch) {
        for (Throwable next : Failure.causes(thrown)) {
            if (next instanceof BatchListenerFailedException failed) {
                Throwable cause = failed.getCause() == null ? failed : failed.getCause();
                return failed.getRecord() == null
                        ? placed(given, failed.getIndex(), cause, batch)
                        : new BatchFailedException(batch.indexOf(failed.getRecord()), cause);
            }
        }
        return thrown;
    }

    /**
     * Returns the failure of the record at this index of the given list. The index of the result counts in the batch, and is -1 if the list has no
     * such index.
     */
    private static BatchFailedException placed(
            List<ConsumerRecord<Object, Object>> given,
            int index,
            Throwable cause,
            List<ConsumerRecord<Object, Object>> batch) {
        boolean isThere = index >= 0 && index < given.size();
        // A record has no equality of its own: it is found by identity.
        return new BatchFailedException(isThere ? batch.indexOf(given.get(index)) : -1, cause);
    }
}
