package io.idempotency.spring;

import static io.idempotency.spring.ListenerChecks.refuseIf;

import io.idempotency.ConsistencyLevel;
import io.idempotency.kafka.ConsumerFromStore;
import io.idempotency.store.OffsetStore;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.DirectFieldAccessor;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;
import org.springframework.kafka.listener.ContainerProperties;

/**
 * Gives a container Kafka consumers whose partitions begin behind settled offsets. A rebalance listener could not do it: the container calls it only after it
 * has committed where {@code auto.offset.reset} has put a partition. Thread-safe; each consumer belongs to one thread of the container.
 */
final class StartingConsumers implements ConsumerFactory<Object, Object> {

    private final ConsumerFactory<Object, Object> users;
    private final String consumer;
    private final OffsetStore store;

    private StartingConsumers(ConsumerFactory<Object, Object> users, String consumer, OffsetStore store) {
        this.users = users;
        this.consumer = consumer;
        this.store = store;
    }

    /** Replaces the consumer factory of a container that has not started. It has no setter for it. */
    static void install(
            AbstractMessageListenerContainer<Object, Object> container, String consumer, OffsetStore store) {
        ContainerFitter.consumerFactory(container)
                .ifPresent(users -> new DirectFieldAccessor(container)
                        .setPropertyValue(
                                ContainerFitter.CONSUMER_FACTORY, new StartingConsumers(users, consumer, store)));
    }

    /**
     * Refuses what is not sound for a listener whose partitions begin behind settled offsets.
     *
     * @throws ListenerRefusedException with what to change
     */
    static void require(ListenerDefinition listener, ConsistencyLevel level, ContainerProperties container) {
        String from = listener + " is to start from the store";
        refuseIf(
                listener.isShadow(),
                from + " and to be watched in shadow mode, in which nothing is settled",
                "Remove " + property(listener) + " until the real run.");
        refuseIf(
                level == ConsistencyLevel.NONE,
                from + " and has the level NONE, which remembers nothing there",
                "Set another level, or remove " + property(listener) + ".");
        refuseIf(
                container.getTopicPartitions() != null,
                from + ", but its partitions are assigned by hand, and begin where topicPartitions says",
                "Give the listener topics or a topicPattern instead, or remove " + property(listener) + ".");
        refuseIf(
                container.getOffsetAndMetadataProvider() != null,
                from
                        + ", and its container has an OffsetAndMetadataProvider: the text beside a committed offset says from where on all is settled",
                "Remove the provider, or " + property(listener) + ".");
    }

    static String property(ListenerDefinition listener) {
        return "idempotency.consumers." + listener.name() + ".start-from=store";
    }

    ConsumerFactory<Object, Object> users() {
        return users;
    }

    @Override
    public Consumer<Object, Object> createConsumer(
            @Nullable String groupId,
            @Nullable String clientIdPrefix,
            @Nullable String clientIdSuffix,
            @Nullable Properties properties) {
        Map<String, Object> kafka = new HashMap<>(users.getConfigurationProperties());
        if (properties != null) {
            properties.forEach((name, value) -> kafka.put(name.toString(), value));
            // Those of nested defaults, too.
            properties.stringPropertyNames().forEach(name -> kafka.put(name, properties.getProperty(name)));
        }
        return ConsumerFromStore.of(
                users.createConsumer(groupId, clientIdPrefix, clientIdSuffix, properties), consumer, store, kafka);
    }

    @Override
    public boolean isAutoCommit() {
        return users.isAutoCommit();
    }

    @Override
    public Map<String, Object> getConfigurationProperties() {
        return users.getConfigurationProperties();
    }

    @Override
    public @Nullable Deserializer<Object> getKeyDeserializer() {
        return users.getKeyDeserializer();
    }

    @Override
    public @Nullable Deserializer<Object> getValueDeserializer() {
        return users.getValueDeserializer();
    }
}
