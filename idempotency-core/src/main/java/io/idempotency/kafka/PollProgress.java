package io.idempotency.kafka;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * Keeps how far the partitions of one poll have come: the offsets to go back to, and the offsets to commit. Not thread-safe.
 */
final class PollProgress<K, V> {

    private final ConsumerRecords<K, V> polled;
    private final Map<TopicPartition, OffsetAndMetadata> unsettled = new LinkedHashMap<>();
    private final Map<TopicPartition, OffsetAndMetadata> settled = new HashMap<>();

    /** Begins at the first record of every partition. */
    PollProgress(ConsumerRecords<K, V> polled) {
        this.polled = polled;
        for (TopicPartition partition : polled.partitions()) {
            unsettled.put(
                    partition, KafkaRecords.offset(polled.records(partition).get(0)));
        }
    }

    /** Notes that the assigned partitions without records are settled: only transaction markers came from them. */
    void settleEmpty(Set<TopicPartition> assigned) {
        settled.putAll(polled.nextOffsets());
        settled.keySet().retainAll(assigned);
        settled.keySet().removeAll(polled.partitions());
    }

    /** Forgets the partitions that are no longer assigned. */
    void retain(Set<TopicPartition> assigned) {
        unsettled.keySet().retainAll(assigned);
    }

    /** Notes how far a partition has come. */
    void note(TopicPartition partition, PartitionProgress progress) {
        if (progress.isSettled()) {
            unsettled.remove(partition);
            // Behind transaction markers, too, or the lag never reaches 0.
            settled.put(partition, polled.nextOffsets().getOrDefault(partition, progress.next()));
            return;
        }
        OffsetAndMetadata first = unsettled.put(partition, progress.next());
        if (first != null && progress.next().offset() > first.offset()) {
            settled.put(partition, progress.next());
        }
    }

    List<ConsumerRecord<K, V>> records(TopicPartition partition) {
        return polled.records(partition);
    }

    /** Returns the offset of the first unsettled record of each partition that has one. */
    Map<TopicPartition, OffsetAndMetadata> unsettled() {
        return unsettled;
    }

    /** Returns the offsets to commit: each is behind settled records only. */
    Map<TopicPartition, OffsetAndMetadata> settled() {
        return settled;
    }
}
