package io.idempotency.spring;

import io.idempotency.BatchFailedException;
import io.idempotency.IdempotentConsumer;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.AcknowledgingConsumerAwareMessageListener;
import org.springframework.kafka.listener.MessageListener;
import org.springframework.kafka.listener.adapter.AbstractDelegatingMessageListenerAdapter;
import org.springframework.kafka.support.Acknowledgment;

/**
 * Runs in front of a record listener: claims the message, calls the listener in the transaction of the claim, commits, and only then acknowledges. A
 * failure goes to the error handler of the container. If a poll takes too long, its rest is handed back, so that the offsets of settled records are
 * committed while the partition is still assigned. Thread-safe: the threads of a container share it.
 */
final class RecordListener extends AbstractDelegatingMessageListenerAdapter<MessageListener<Object, Object>>
        implements AcknowledgingConsumerAwareMessageListener<Object, Object> {

    private final IdempotentConsumer<ConsumerRecord<Object, Object>> idempotent;
    private final SettledRecords settled;
    private final PollTime pollTime;
    private final Observations observations;
    private final boolean isAwaited;

    RecordListener(MessageListener<Object, Object> delegate, FittedContainer container, Observations observations) {
        super(delegate);
        this.idempotent = container.consumer();
        this.settled = container.settled();
        this.pollTime = container.pollTime();
        this.observations = observations;
        this.isAwaited = container.isAwaited();
    }

    @Override
    public void onMessage(
            ConsumerRecord<Object, Object> record,
            @Nullable Acknowledgment acknowledgment,
            @Nullable Consumer<?, ?> consumer) {
        if (pollTime.isOver(consumer)) {
            observations.stopCurrent(null);
            throw WaitingException.handedBack(record);
        }
        settled.begun(record);
        boolean[] isCalled = {false};
        List<ConsumerRecord<Object, Object>> alone = List.of(record);
        Decision decision = Decision.after(
                () -> idempotent.consumeAll(alone, (message, claim) -> {
                    isCalled[0] = true;
                    observations.describe(claim.delivery());
                    Outputs.awaited(idempotent.level(), () -> call(message, acknowledgment != null, consumer));
                }),
                idempotent,
                alone,
                1);
        if (!isCalled[0]) {
            observations.stopCurrent(decision.failure());
        }
        switch (decision.kind()) {
            case SETTLED -> {
                settled.settled(record);
                if (acknowledgment != null) {
                    acknowledgment.acknowledge();
                }
            }
            case NACKED -> Objects.requireNonNull(acknowledgment).nack(decision.sleep());
            case FAILED, WAITING -> throw Failure.of(decision.thrown());
        }
    }

    private void call(ConsumerRecord<Object, Object> record, boolean isManual, @Nullable Consumer<?, ?> consumer) {
        RememberedAck ack = isAwaited || isManual ? RememberedAck.of(record, isAwaited) : null;
        switch (delegateType) {
            case ACKNOWLEDGING_CONSUMER_AWARE -> delegate.onMessage(record, ack, consumer);
            case ACKNOWLEDGING -> delegate.onMessage(record, ack);
            case CONSUMER_AWARE -> delegate.onMessage(record, consumer);
            case SIMPLE -> delegate.onMessage(record);
        }
        if (ack != null) {
            try {
                ack.requireAcknowledged(List.of(record));
            } catch (BatchFailedException e) {
                throw Failure.of(e.getCause());
            }
        }
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
    public void onMessage(ConsumerRecord<Object, Object> record) {
        onMessage(record, null, null);
    }

    @Override
    public void onMessage(ConsumerRecord<Object, Object> record, @Nullable Acknowledgment acknowledgment) {
        onMessage(record, acknowledgment, null);
    }

    @Override
    public void onMessage(ConsumerRecord<Object, Object> record, @Nullable Consumer<?, ?> consumer) {
        onMessage(record, null, consumer);
    }
}
