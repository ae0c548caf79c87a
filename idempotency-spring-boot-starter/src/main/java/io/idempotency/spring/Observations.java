package io.idempotency.spring;

import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import java.util.Objects;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.adapter.RecordMessagingMessageListenerAdapter;
import org.springframework.kafka.support.micrometer.KafkaListenerObservation;
import org.springframework.kafka.support.micrometer.KafkaListenerObservation.DefaultKafkaListenerObservationConvention;
import org.springframework.kafka.support.micrometer.KafkaRecordReceiverContext;
import org.springframework.util.function.SingletonSupplier;

/**
 * Observes records as a container does, which begins an observation of each. The adapter in front of the listener ends it. If the listener is not called,
 * somebody else has to.
 */
final class Observations {

    private final Supplier<ObservationRegistry> registry;

    Observations(Supplier<ObservationRegistry> registry) {
        this.registry = SingletonSupplier.of(registry);
    }

    /** Begins the observation of a record that a listener is about to get. It observes nothing unless the container does. */
    Observation begin(AbstractMessageListenerContainer<?, ?> container, ConsumerRecord<?, ?> record) {
        ContainerProperties properties = container.getContainerProperties();
        if (!properties.isObservationEnabled()) {
            return Observation.NOOP;
        }
        ObservationRegistry own = properties.getObservationRegistry();
        return KafkaListenerObservation.LISTENER_OBSERVATION
                .observation(
                        properties.getObservationConvention(),
                        DefaultKafkaListenerObservationConvention.INSTANCE,
                        () -> new KafkaRecordReceiverContext(
                                record, container.getListenerId(), null, container.getGroupId(), () -> null),
                        own.isNoop() ? Objects.requireNonNull(registry.get()) : own)
                .start();
    }

    /** Observes a record of a batch, if the container does. */
    void observeInBatch(AbstractMessageListenerContainer<?, ?> container, ConsumerRecord<?, ?> record) {
        if (container.getContainerProperties().isRecordObservationsInBatch()) {
            begin(container, record).stop();
        }
    }

    /** Returns whether the listener ends the observations of the records that it gets. */
    static boolean areEndedBy(Object listener) {
        return AdaptedListener.in(listener).listener().getClass() == RecordMessagingMessageListenerAdapter.class;
    }

    /**
     * Stops the observation of this thread.
     *
     * @param error why the listener was not called, if that is a failure
     */
    void stopCurrent(@Nullable Throwable error) {
        Observation current = Objects.requireNonNull(registry.get()).getCurrentObservation();
        if (current != null) {
            if (error != null) {
                current.error(error);
            }
            current.stop();
        }
    }
}
