package io.idempotency.spring;

import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import java.util.function.Supplier;

/**
 * Stops the observation of a record whose listener is not called: the container starts it, and only the adapter in front of the listener stops
 * it.
 */
final class Observations {

    private final Supplier<ObservationRegistry> registry;

    Observations(Supplier<ObservationRegistry> registry) {
        this.registry = registry;
    }

    void stopCurrent() {
        Observation current = registry.get().getCurrentObservation();
        if (current != null) {
            current.stop();
        }
    }
}
