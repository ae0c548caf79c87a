package io.idempotency.kafka;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * Seeks, pauses and resumes partitions, unless they are no longer assigned. Under the consumer group protocol of KIP-848 the assignment
 * changes in the background, and Kafka then throws an {@code IllegalStateException}.
 */
final class AssignedPartitions {

    private AssignedPartitions() {}

    static boolean seek(Consumer<?, ?> kafka, TopicPartition partition, OffsetAndMetadata offset) {
        return onAssigned(kafka, partition, () -> kafka.seek(partition, offset));
    }

    static boolean pause(Consumer<?, ?> kafka, TopicPartition partition) {
        return onAssigned(kafka, partition, () -> kafka.pause(Set.of(partition)));
    }

    static boolean resume(Consumer<?, ?> kafka, TopicPartition partition) {
        return onAssigned(kafka, partition, () -> kafka.resume(Set.of(partition)));
    }

    /** Seeks in all partitions after a failure. What fails here is added to that failure as suppressed. */
    static void seekAll(Consumer<?, ?> kafka, Map<TopicPartition, OffsetAndMetadata> offsets, Throwable failure) {
        new HashMap<>(offsets).forEach((partition, offset) -> {
            try {
                seek(kafka, partition, offset);
            } catch (RuntimeException second) {
                failure.addSuppressed(second);
            }
        });
    }

    private static boolean onAssigned(Consumer<?, ?> kafka, TopicPartition partition, Runnable action) {
        try {
            action.run();
            return true;
        } catch (IllegalStateException gone) {
            if (kafka.assignment().contains(partition)) {
                throw gone;
            }
            return false;
        }
    }
}
