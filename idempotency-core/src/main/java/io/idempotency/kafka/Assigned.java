package io.idempotency.kafka;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * Seek, pause and resume of a partition that may be taken away at any moment: under the consumer group protocol of KIP-848 the
 * assignment changes in the background, and Kafka then throws an {@code IllegalStateException}.
 */
final class Assigned {

    private Assigned() {}

    static boolean seek(Consumer<?, ?> kafka, TopicPartition partition, OffsetAndMetadata offset) {
        return onAssigned(kafka, partition, () -> kafka.seek(partition, offset));
    }

    static boolean pause(Consumer<?, ?> kafka, TopicPartition partition) {
        return onAssigned(kafka, partition, () -> kafka.pause(Set.of(partition)));
    }

    static boolean resume(Consumer<?, ?> kafka, TopicPartition partition) {
        return onAssigned(kafka, partition, () -> kafka.resume(Set.of(partition)));
    }

    /** Goes back everywhere although something failed; what fails here is added to that. */
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
