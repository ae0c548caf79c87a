package io.idempotency.micrometer;

import io.idempotency.outbox.OutboxListener;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;

/**
 * Counts what the relay of this process does. {@link QuarantineMeters#outbox} shows what waits.
 *
 * <pre>{@code
 * OutboxRelay.of(store, kafka).listener(OutboxMeters.of(registry)).start();
 * }</pre>
 *
 * <p>Thread-safe.
 */
public final class OutboxMeters implements OutboxListener {

    private final Counter sent;
    private final Counter failures;

    private OutboxMeters(MeterRegistry registry) {
        this.sent = Counter.builder(MeterNames.OUTBOX_SENT)
                .description("Outputs that Kafka has acknowledged")
                .register(registry);
        this.failures = Counter.builder(MeterNames.OUTBOX_FAILURES)
                .description("Rounds of the relay that failed, and are tried again")
                .register(registry);
    }

    /** Returns the meters in this registry, with the value 0. */
    public static OutboxMeters of(MeterRegistry registry) {
        return new OutboxMeters(registry);
    }

    @Override
    public void onSent(int outputs) {
        sent.increment(outputs);
    }

    @Override
    public void onFailed(Throwable failure, int inARow) {
        failures.increment();
    }
}
