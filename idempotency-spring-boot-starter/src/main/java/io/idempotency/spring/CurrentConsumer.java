package io.idempotency.spring;

import io.idempotency.IdempotentConsumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/** The consumer of the container that this thread belongs to: a recoverer is not told whose record it gets. */
record CurrentConsumer(IdempotentConsumer<ConsumerRecord<Object, Object>> consumer) {

    private static final ThreadLocal<@Nullable CurrentConsumer> CURRENT = new ThreadLocal<>();

    static @Nullable CurrentConsumer get() {
        return CURRENT.get();
    }

    void set() {
        CURRENT.set(this);
    }

    static void remove() {
        CURRENT.remove();
    }
}
