package io.idempotency.kafka;

import java.util.Collection;
import java.util.Optional;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.common.TopicPartition;

/**
 * Commits offsets at a rebalance: a first one for newly assigned partitions, so that {@code auto.offset.reset} applies only once, and the last one
 * for revoked partitions, so that the next owner has nothing to skip. Drops what was gathered of them. If settled offsets are stored, partitions begin behind them.
 */
record FirstOffsets<K, V>(
        Consumer<K, V> kafka,
        RecordProcessor<K, V> processor,
        Gathering<K, V> gathering,
        Optional<StoredOffsets> stored)
        implements ConsumerRebalanceListener {

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        processor.assigned(
                kafka,
                stored.map(offsets -> offsets.assigned(kafka, partitions)).orElse(partitions));
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        gathering.drop(partitions);
        processor.finish(kafka);
        stored.ifPresent(StoredOffsets::store);
        stored.ifPresent(offsets -> offsets.drop(partitions));
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
        // Another consumer may own them, and a commit would be refused.
        gathering.drop(partitions);
        stored.ifPresent(offsets -> offsets.drop(partitions));
    }
}
