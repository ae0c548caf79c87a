package io.idempotency.testkit.faults;

import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;
import org.springframework.beans.DirectFieldAccessor;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.ConsumerPostProcessor;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.support.TopicPartitionOffset;

/** A container whose consumers are on a {@link SpringWire}. */
final class SpringContainer {

    private static final String FETCH_WAIT = "fetch.max.wait.ms";
    private static final String SHORT_WAIT_MILLIS = "10";
    private static final long LONGEST_STOP_MILLIS = 2_000;

    private final AbstractMessageListenerContainer<Object, Object> container;
    private final ConsumerFactory<Object, Object> factory;
    private final SpringWire wire;
    private final boolean hasHandler;

    /**
     * Prepares a container, and starts it again with such consumers, unless it has them. It loses them when Spring stops it, as it does while the tests of another
     * application run.
     */
    @SuppressWarnings("unchecked")
    SpringContainer(AbstractMessageListenerContainer<?, ?> of, SpringFaults.State state) {
        this.container = (AbstractMessageListenerContainer<Object, Object>) of;
        this.factory = (ConsumerFactory<Object, Object>)
                Objects.requireNonNull(new DirectFieldAccessor(of).getPropertyValue("consumerFactory"));
        Object listener = Objects.requireNonNull(of.getContainerProperties().getMessageListener());
        this.hasHandler = SpringHandler.putAround(listener, state.probe());
        Object known = state.wires().get(of);
        this.wire = known == null ? new SpringWire(state.probe()) : (SpringWire) known;
        if (known == null) {
            state.wires().put(of, wire);
            // A poll at the end of a topic delays what the test asks for next.
            of.getContainerProperties().getKafkaConsumerProperties().putIfAbsent(FETCH_WAIT, SHORT_WAIT_MILLIS);
        }
        if (!wire.hasConsumers()) {
            restart();
        }
    }

    SpringWire wire() {
        return wire;
    }

    boolean hasHandler() {
        return hasHandler;
    }

    /** Returns those of the partitions that the container gets; all of them, unless it names some itself. */
    Set<TopicPartition> assignable(Set<TopicPartition> partitions) {
        TopicPartitionOffset[] named = container.getContainerProperties().getTopicPartitions();
        return named == null
                ? partitions
                : Stream.of(named).map(TopicPartitionOffset::getTopicPartition).collect(Collectors.toSet());
    }

    /**
     * Stops without waiting for long: a consumer that leaves its group in the middle of a rebalance sometimes takes half a minute to close, and a dead process waits
     * for nobody.
     */
    private void stop() {
        ContainerProperties properties = container.getContainerProperties();
        long usual = properties.getShutdownTimeout();
        properties.setShutdownTimeout(Math.min(usual, LONGEST_STOP_MILLIS));
        container.stop();
        properties.setShutdownTimeout(usual);
    }

    /** Stops what still runs, such as other threads of a process that has died, and starts a new container on the same group. */
    void restart() {
        stop();
        ConsumerPostProcessor<Object, Object> onWire = consumer -> SpringConsumer.of(consumer, wire);
        factory.addPostProcessor(onWire);
        if (!factory.getPostProcessors().contains(onWire)) {
            throw new MisuseException("The ConsumerFactory of listener " + container.getListenerId()
                    + " takes no post-processors. Use a DefaultKafkaConsumerFactory");
        }
        try {
            container.start();
        } finally {
            factory.removePostProcessor(onWire);
        }
    }
}
