package io.idempotency.spring;

import io.idempotency.Consumption;
import io.idempotency.ConsumptionListener;
import io.idempotency.store.Delivery;
import io.idempotency.store.Position;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import java.util.Locale;
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
final class Observations implements ConsumptionListener {

    static final String CONSUMER = "idempotency.consumer";
    static final String MESSAGE_ID = "idempotency.message.id";
    static final String OUTCOME = "idempotency.outcome";
    static final String KIND = "idempotency.duplicate.kind";

    private final Supplier<ObservationRegistry> registry;
    private final boolean isIdTold;

    /** @param isIdTold whether observations of records get the ids of their messages */
    Observations(Supplier<ObservationRegistry> registry, boolean isIdTold) {
        this.registry = SingletonSupplier.of(registry);
        this.isIdTold = isIdTold;
    }

    /** Tells the observation of this thread which message it is, before its listener is called, because that ends the observation. */
    void describe(Delivery delivery) {
        Observation current = currentOf(delivery);
        if (current != null) {
            describe(current, delivery);
        }
    }

    /**
     * The attributes have high cardinality, so that they are on spans only: a meter with a tag that only some of its records have is refused by Prometheus.
     */
    private void describe(Observation observation, Delivery delivery) {
        observation.highCardinalityKeyValue(CONSUMER, delivery.id().consumer());
        if (isIdTold) {
            observation.highCardinalityKeyValue(MESSAGE_ID, delivery.id().value());
        }
    }

    /** {@inheritDoc} Tells the observation of the record what became of it, if its listener was not called. */
    @Override
    public void onConsumption(Consumption consumption) {
        if (consumption.handlerNanos() > 0) {
            return;
        }
        Observation current = currentOf(consumption.delivery());
        if (current != null) {
            describe(current, consumption.delivery());
            current.highCardinalityKeyValue(OUTCOME, name(consumption.outcome()));
            consumption
                    .duplicate()
                    .ifPresent(duplicate -> current.highCardinalityKeyValue(KIND, name(duplicate.kind())));
        }
    }

    private static String name(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    /** Returns the observation of this thread if it is the container's one of this record. */
    private @Nullable Observation currentOf(Delivery delivery) {
        Observation current = Objects.requireNonNull(registry.get()).getCurrentObservation();
        Position position = delivery.position();
        return current != null
                        && current.getContextView() instanceof KafkaRecordReceiverContext context
                        && context.getRecord().offset() == position.offset()
                        && context.getRecord().partition() == position.partition()
                        && context.getRecord().topic().equals(position.stream())
                ? current
                : null;
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
