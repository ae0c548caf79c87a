package io.idempotency.spring;

import java.time.Duration;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.springframework.kafka.listener.ListenerContainerPauseService;
import org.springframework.kafka.listener.ListenerUtils;
import org.springframework.kafka.listener.MessageListenerContainer;

/** Makes partitions wait. For a short time the thread of the container sleeps; for a longer one only the partition is paused. */
record PartitionWaits(ListenerContainerPauseService pauses) {

    private static final Duration SHORT = Duration.ofMillis(500);

    void await(MessageListenerContainer container, Map<TopicPartition, Duration> waits) {
        waits.forEach((partition, wait) -> await(container, partition, wait));
    }

    private void await(MessageListenerContainer container, TopicPartition partition, Duration wait) {
        if (wait.isZero()) {
            return;
        }
        if (wait.compareTo(SHORT) > 0) {
            pauses.pausePartition(container, partition, wait);
            return;
        }
        try {
            ListenerUtils.stoppableSleep(container, wait.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
