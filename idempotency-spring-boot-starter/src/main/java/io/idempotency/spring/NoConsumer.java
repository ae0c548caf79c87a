package io.idempotency.spring;

import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.springframework.kafka.listener.MessageListenerContainer;

/**
 * Stands in for the Kafka consumer while a replay calls a listener: the real one belongs to the thread of its container. It has no partitions and
 * refuses everything else.
 */
final class NoConsumer {

    private NoConsumer() {}

    @SuppressWarnings("unchecked")
    static Consumer<Object, Object> of(MessageListenerContainer container) {
        return (Consumer<Object, Object>) Proxy.newProxyInstance(
                Consumer.class.getClassLoader(),
                new Class<?>[] {Consumer.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "assignment", "paused", "subscription" -> Set.of();
                    case "metrics" -> Map.of();
                    case "toString" -> "no Kafka consumer: replay for listener " + container.getListenerId();
                    case "hashCode" -> System.identityHashCode(proxy);
                    case "equals" -> proxy == Objects.requireNonNull(arguments)[0];
                    default ->
                        throw new UnsupportedOperationException("Listener " + container.getListenerId()
                                + " is called by a replay, where there is no Kafka consumer for " + method.getName()
                                + "(). Records of replays have the header idempotency-replay");
                });
    }
}
