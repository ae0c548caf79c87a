package io.idempotency.spring;

import io.idempotency.Consumption;
import io.idempotency.ConsumptionListener;
import io.idempotency.Duplicate;
import io.idempotency.Outcome;
import io.idempotency.store.Delivery;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** Meters of consumptions, named and tagged as in docs/spring-boot.md. Thread-safe. */
final class Meters implements ConsumptionListener {

    static final String CONSUMPTIONS = "idempotency.consumptions";
    static final String DUPLICATES = "idempotency.duplicates";
    static final String AGE = "idempotency.duplicates.age";
    static final String TRANSIENT = "idempotency.transient.failures";
    static final String STUCK = "idempotency.transient.stuck";
    static final String EARLY = "idempotency.early.commits";

    private final MeterRegistry registry;

    Meters(MeterRegistry registry) {
        this.registry = registry;
    }

    @Override
    public void onConsumption(Consumption consumption) {
        String consumer = consumption.delivery().id().consumer();
        if (consumption.isTransient()) {
            Counter.builder(TRANSIENT)
                    .description("Failures that said nothing about a message and were not counted")
                    .tag("consumer", consumer)
                    .register(registry)
                    .increment();
            if (consumption.isStuck()) {
                Counter.builder(STUCK)
                        .description(
                                "Failures that should have passed: each one behind many others of the same message")
                        .tag("consumer", consumer)
                        .register(registry)
                        .increment();
            }
            return;
        }
        Timer.builder(CONSUMPTIONS)
                .description("Consumptions by how they ended; the time is the handler's")
                .tag("consumer", consumer)
                .tag("level", name(consumption.level()))
                .tag("outcome", outcome(consumption))
                .register(registry)
                .record(consumption.handlerNanos(), TimeUnit.NANOSECONDS);
        consumption.duplicate().ifPresent(duplicate -> duplicate(consumer, duplicate));
    }

    @Override
    public void onEarlyCommit(Delivery first) {
        Counter.builder(EARLY)
                .description("Transactions that a listener committed itself, before they were to end")
                .tag("consumer", first.id().consumer())
                .register(registry)
                .increment();
    }

    private void duplicate(String consumer, Duplicate duplicate) {
        Counter.builder(DUPLICATES)
                .description("Messages skipped because they were processed before")
                .tag("consumer", consumer)
                .tag("kind", name(duplicate.kind()))
                .register(registry)
                .increment();
        DistributionSummary.builder(AGE)
                .description("How long ago the message of a duplicate was processed")
                .baseUnit("seconds")
                .tag("consumer", consumer)
                .register(registry)
                .record(duplicate.age().toMillis() / 1000.0);
    }

    private static String outcome(Consumption consumption) {
        return consumption.outcome() == Outcome.RELEASED
                        && consumption.failure().isPresent()
                ? "failed"
                : name(consumption.outcome());
    }

    private static String name(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
