package io.idempotency.spring;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.springframework.boot.kafka.autoconfigure.DefaultKafkaConsumerFactoryCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;

/** Consumers whose commits of offsets fail where a test wants it. */
@Configuration(proxyBeanMethods = false)
class LostCommits {

    private final Map<String, Loss> losses = new ConcurrentHashMap<>();

    private record Loss(long offset, AtomicInteger left, Supplier<RuntimeException> failure) {}

    /** Lets commits of an offset fail a few times. */
    void lose(String topic, long offset, int times, Supplier<RuntimeException> failure) {
        losses.put(topic, new Loss(offset, new AtomicInteger(times), failure));
    }

    /** Returns how many more commits will fail. */
    int left(String topic) {
        return Objects.requireNonNull(losses.get(topic)).left().get();
    }

    @Bean
    DefaultKafkaConsumerFactoryCustomizer losingCommits() {
        return this::customize;
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private void customize(DefaultKafkaConsumerFactory<?, ?> factory) {
        ((DefaultKafkaConsumerFactory) factory).addPostProcessor(consumer -> losing((Consumer<?, ?>) consumer));
    }

    private Consumer<?, ?> losing(Consumer<?, ?> consumer) {
        return (Consumer<?, ?>) Proxy.newProxyInstance(
                Consumer.class.getClassLoader(),
                new Class<?>[] {Consumer.class},
                (proxy, method, arguments) -> call(consumer, method, arguments));
    }

    private Object call(Consumer<?, ?> consumer, Method method, Object[] arguments) throws Throwable {
        if (method.getName().equals("commitSync") && arguments != null && arguments[0] instanceof Map<?, ?> offsets) {
            offsets.forEach((partition, offset) ->
                    loseOne(((TopicPartition) partition).topic(), ((OffsetAndMetadata) offset).offset()));
        }
        try {
            return method.invoke(consumer, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    private void loseOne(String topic, long offset) {
        Loss loss = losses.get(topic);
        if (loss != null && loss.offset() == offset && loss.left().getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
            throw loss.failure().get();
        }
    }
}
