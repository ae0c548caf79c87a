package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.ConsistencyLevel;
import io.idempotency.Consumption;
import io.idempotency.Outcome;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.micrometer.common.KeyValue;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.springframework.kafka.support.micrometer.KafkaRecordReceiverContext;

/** What observations are told of the messages of their records, and what not. */
class ObservationAttributesTest {

    private static final Delivery DELIVERY =
            new Delivery(new MessageId("billing", "secret"), new Position("orders", 0, 7));

    private final ObservationRegistry registry = ObservationRegistry.create();
    private final KafkaRecordReceiverContext context = new KafkaRecordReceiverContext(
            new ConsumerRecord<>("orders", 0, 7, "k", "v"), "listener", null, "group", () -> null);

    ObservationAttributesTest() {
        registry.observationConfig().observationHandler(any -> true);
    }

    private List<String> told(Observations observations, Observation.Context of, Consumption... consumptions) {
        Observation.createNotStarted("any", () -> of, registry).observe(() -> {
            observations.describe(DELIVERY);
            for (Consumption consumption : consumptions) {
                observations.onConsumption(consumption);
            }
        });
        return of.getHighCardinalityKeyValues().stream().map(KeyValue::getKey).toList();
    }

    private static Consumption consumption(Outcome outcome, long handlerNanos) {
        return new Consumption(
                ConsistencyLevel.STRONG, DELIVERY, outcome, 0, Optional.empty(), Optional.empty(), 0, handlerNanos);
    }

    @Test
    void haveNoIdIfThatIsSwitchedOff() {
        assertThat(told(new Observations(() -> registry, false), context, consumption(Outcome.EXPIRED, 0)))
                .containsExactly(Observations.CONSUMER, Observations.OUTCOME);
    }

    @Test
    void haveNoOutcomeIfTheListenerWasCalled() {
        assertThat(told(new Observations(() -> registry, true), context, consumption(Outcome.PROCESSED, 5)))
                .containsExactly(Observations.CONSUMER, Observations.MESSAGE_ID);
    }

    @Test
    void areOnlyThoseOfTheRecord() {
        assertThat(told(
                        new Observations(() -> registry, true),
                        new Observation.Context(),
                        consumption(Outcome.EXPIRED, 0)))
                .isEmpty();
    }
}
