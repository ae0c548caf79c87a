package io.idempotency.spring;

import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.util.function.SingletonSupplier;

/**
 * Stops the observation of a record whose listener is not called: the container starts it, and only the adapter in front of the listener stops
 * it.
 */
final class Observations {

    private final Supplier<ObservationRegistry> registry;

    Observations(Supplier<ObservationRegistry> registry) {
        this.registry = SingletonSupplier.of(registry);
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
