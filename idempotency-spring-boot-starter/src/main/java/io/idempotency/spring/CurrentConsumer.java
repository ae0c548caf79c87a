package io.idempotency.spring;

import io.idempotency.IdempotentConsumer;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Tells a recoverer whose record it gets, and takes the time that the record has to wait. Set on a container's thread while its error handler
 * decides.
 *
 * @param attempts how many failed attempts at the record the error handler has counted; 0 if it counts none
 */
record CurrentConsumer(
        IdempotentConsumer<ConsumerRecord<Object, Object>> consumer,
        int attempts,
        Map<TopicPartition, Duration> waits) {

    private static final ThreadLocal<@Nullable CurrentConsumer> CURRENT = new ThreadLocal<>();

    static @Nullable CurrentConsumer get() {
        return CURRENT.get();
    }

    static void set(IdempotentConsumer<ConsumerRecord<Object, Object>> consumer, int attempts) {
        CURRENT.set(new CurrentConsumer(consumer, attempts, new HashMap<>()));
    }

    static void remove() {
        CURRENT.remove();
    }
}
