package io.idempotency.kafka;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** Pauses partitions in back-off, and resumes those that it paused itself. Not thread-safe. */
final class PartitionBackOffs {

    private final LongSupplier nanoTime;
    private final Map<TopicPartition, Long> ends = new HashMap<>();
    private final Set<TopicPartition> paused = new HashSet<>();

    PartitionBackOffs(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /** Forgets the partitions that are no longer assigned. */
    void retain(Set<TopicPartition> assigned) {
        ends.keySet().retainAll(assigned);
        paused.retainAll(assigned);
    }

    boolean isWaiting(TopicPartition partition) {
        return ends.containsKey(partition);
    }

    /** Goes back to the offset and pauses the partition for this long; zero is no pause. */
    void leave(Consumer<?, ?> consumer, TopicPartition partition, OffsetAndMetadata offset, Duration length) {
        if (length.isZero() || length.isNegative()) {
            AssignedPartitions.seek(consumer, partition, offset);
            return;
        }
        ends.put(partition, nanoTime.getAsLong() + nanos(length));
        leaveAgain(consumer, partition, offset);
    }

    /** Goes back to the offset of a partition in back-off, and pauses it again if it was revoked and assigned again. */
    void leaveAgain(Consumer<?, ?> consumer, TopicPartition partition, OffsetAndMetadata offset) {
        AssignedPartitions.seek(consumer, partition, offset);
        if (!consumer.paused().contains(partition) && AssignedPartitions.pause(consumer, partition)) {
            paused.add(partition);
        }
    }

    /** Resumes the partitions whose back-off is over. */
    void resumeDue(Consumer<?, ?> consumer) {
        long now = nanoTime.getAsLong();
        for (Iterator<Map.Entry<TopicPartition, Long>> each = ends.entrySet().iterator(); each.hasNext(); ) {
            Map.Entry<TopicPartition, Long> wait = each.next();
            if (wait.getValue() - now <= 0) {
                each.remove();
                if (paused.remove(wait.getKey())) {
                    AssignedPartitions.resume(consumer, wait.getKey());
                }
            }
        }
    }

    /** Returns the time until the next back-off ends, at most this one. */
    Duration untilNext(Duration atMost) {
        long now = nanoTime.getAsLong();
        long least = nanos(atMost);
        for (long end : ends.values()) {
            least = Math.min(least, Math.max(end - now, 0));
        }
        return Duration.ofNanos(least);
    }

    private static long nanos(Duration length) {
        return length.compareTo(Duration.ofDays(36_500)) > 0
                ? Duration.ofDays(36_500).toNanos()
                : length.toNanos();
    }
}
