package io.idempotency.kafka;

import java.util.Collection;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.common.TopicPartition;

/**
 * Gives newly assigned partitions a committed offset, so that {@code auto.offset.reset} is asked only once, and those that are given up their
 * last one, so that the next owner has nothing to skip.
 */
record FirstOffsets<K, V>(Consumer<K, V> kafka, RecordProcessor<K, V> processor) implements ConsumerRebalanceListener {

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        processor.assigned(kafka, partitions);
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        processor.finish(kafka);
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
        // Somebody else may have them, and a commit would be refused.
    }
}
