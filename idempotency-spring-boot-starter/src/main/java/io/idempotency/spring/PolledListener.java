package io.idempotency.spring;

import io.idempotency.BatchResult;
import io.idempotency.FailureText;
import io.idempotency.IdempotentConsumer;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.BatchAcknowledgingConsumerAwareMessageListener;
import org.springframework.kafka.listener.adapter.AbstractDelegatingMessageListenerAdapter;
import org.springframework.kafka.support.Acknowledgment;

/**
 * Takes all records of a poll. If some of them are not settled, it throws a {@link LeftRecordsException} that names the first of these. All records
 * before that one have committed, and the open ones are polled again by {@link PolledAgain}. Thread-safe: the threads of a container share it.
 *
 * @param <T> the listener behind it, for records or for batches
 */
abstract class PolledListener<T> extends AbstractDelegatingMessageListenerAdapter<T>
        implements BatchAcknowledgingConsumerAwareMessageListener<Object, Object> {

    /** Spring appends the record to the message. */
    private static final String WAITS = "No record failed; polled again from";

    private final IdempotentConsumer<ConsumerRecord<Object, Object>> idempotent;

    PolledListener(T delegate, IdempotentConsumer<ConsumerRecord<Object, Object>> idempotent) {
        super(delegate);
        this.idempotent = idempotent;
    }

    /** Returns the leading records that may be handed to the listener now. */
    List<ConsumerRecord<Object, Object>> due(List<ConsumerRecord<Object, Object>> records) {
        return records;
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
        List<ConsumerRecord<Object, Object>> due = due(records);
        Decision decision = Decision.after(
                () -> consume(idempotent, due, acknowledgment != null, consumer), idempotent, records, due.size());
        switch (decision.kind()) {
            case SETTLED -> {
                if (acknowledgment != null) {
                    acknowledge(records, acknowledgment);
                }
            }
            case NACKED -> Objects.requireNonNull(acknowledgment).nack(decision.index(), decision.sleep());
            case FAILED ->
                throw LeftRecordsException.at(failed(decision.thrown()), decision.thrown(), records, decision.stops());
            case WAITING -> throw LeftRecordsException.at(WAITS, decision.thrown(), records, decision.stops());
        }
    }

    private static void acknowledge(List<ConsumerRecord<Object, Object>> records, Acknowledgment acknowledgment) {
        try {
            acknowledgment.acknowledge();
        } catch (RuntimeException e) {
            // All records are settled: a failed commit of their offsets is no failure of a record.
            throw LeftRecordsException.all(WAITS, WaitingException.offsetNotCommitted(records.get(0), e), records);
        }
    }

    private static String failed(Throwable cause) {
        return "The listener failed with " + FailureText.line(Failure.thrown(cause)) + " at";
    }

    /** {@inheritDoc} Called for lost partitions, too. */
    @Override
    public void onPartitionsRevoked(@Nullable Collection<TopicPartition> partitions) {
        super.onPartitionsRevoked(partitions);
        if (partitions != null) {
            partitions.forEach(partition -> idempotent.revoked(partition.topic(), partition.partition()));
        }
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
