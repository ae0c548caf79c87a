package io.idempotency.simulation;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** Shows a {@link SimulatedConsumer} as Kafka's consumer, as far as the library uses it. */
record ConsumerProxy(SimulatedConsumer consumer) implements InvocationHandler {

    @SuppressWarnings("unchecked")
    static Consumer<String, String> of(SimulatedConsumer consumer) {
        return (Consumer<String, String>) Proxy.newProxyInstance(
                Consumer.class.getClassLoader(), new Class<?>[] {Consumer.class}, new ConsumerProxy(consumer));
    }

    @Override
    @SuppressWarnings("unchecked")
    public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] given) {
        Object[] arguments = given == null ? new Object[0] : given;
        switch (method.getName()) {
            case "subscribe" -> consumer.subscribe((ConsumerRebalanceListener) arguments[1]);
            case "pause" -> consumer.pause((Collection<TopicPartition>) arguments[0]);
            case "resume" -> consumer.resume((Collection<TopicPartition>) arguments[0]);
            case "seek" -> consumer.seek((TopicPartition) arguments[0], (OffsetAndMetadata) arguments[1]);
            case "commitSync" -> consumer.offsets().commitSync((Map<TopicPartition, OffsetAndMetadata>) arguments[0]);
            case "commitAsync" ->
                consumer.offsets()
                        .commitAsync((Map<TopicPartition, OffsetAndMetadata>) arguments[0], (OffsetCommitCallback)
                                arguments[1]);
            case "wakeup" -> consumer.offsets().wakeup();
            case "close" -> consumer.close();
            case "assignment" -> {
                return consumer.assignment();
            }
            case "paused" -> {
                return consumer.paused();
            }
            case "position" -> {
                return consumer.position((TopicPartition) arguments[0]);
            }
            case "committed" -> {
                return consumer.offsets().committed((Set<TopicPartition>) arguments[0]);
            }
            case "poll" -> {
                return consumer.poll((Duration) arguments[0]);
            }
            case "toString" -> {
                return consumer.toString();
            }
            default -> throw new UnsupportedOperationException(method.getName());
        }
        return null;
    }
}
