package io.idempotency.spring;

import io.idempotency.ConsistencyLevel;
import java.util.Map;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;

/** Refuses what would silently weaken the promise, and warns of what may. */
final class ListenerChecks {

    void require(
            ListenerDefinition listener,
            ConsistencyLevel level,
            AbstractMessageListenerContainer<Object, Object> container,
            Map<String, Object> kafka) {}

    void warnOf(AbstractMessageListenerContainer<Object, Object> container) {}
}
