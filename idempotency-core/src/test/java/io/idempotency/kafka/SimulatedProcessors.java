package io.idempotency.kafka;

import io.idempotency.BatchHandler;
import io.idempotency.IdempotentConsumer;
import io.idempotency.MessageHandler;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** Makes processors on a simulated clock. */
public final class SimulatedProcessors {

    private SimulatedProcessors() {}

    public static <K, V> RecordProcessor<K, V> each(
            IdempotentConsumer<ConsumerRecord<K, V>> consumer,
            MessageHandler<? super ConsumerRecord<K, V>> handler,
            LongSupplier nanoTime) {
        return new RecordProcessor<>(BoundConsumer.of(consumer, handler), MessageIds.defaults(), nanoTime);
    }

    public static <K, V> RecordProcessor<K, V> batches(
            IdempotentConsumer<ConsumerRecord<K, V>> consumer,
            BatchHandler<ConsumerRecord<K, V>> handler,
            LongSupplier nanoTime) {
        return new RecordProcessor<>(BoundConsumer.batches(consumer, handler), MessageIds.defaults(), nanoTime);
    }

    /** Returns what a poll loop does at a rebalance. */
    public static <K, V> ConsumerRebalanceListener listener(Consumer<K, V> kafka, RecordProcessor<K, V> processor) {
        return new FirstOffsets<>(kafka, processor);
    }
}
