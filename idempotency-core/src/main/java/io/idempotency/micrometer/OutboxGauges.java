package io.idempotency.micrometer;

import io.idempotency.outbox.OutboxStore;
import io.idempotency.outbox.OutboxTotal;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import java.util.List;

/** Shows what waits in an outbox, as it was when somebody counted last. Confined to the thread that counts. */
final class OutboxGauges {

    private final OutboxStore store;
    private final MultiGauge waiting;
    private final MultiGauge oldest;
    private final MultiGauge refused;

    OutboxGauges(MeterRegistry registry, OutboxStore store) {
        this.store = store;
        this.waiting = MultiGauge.builder(MeterNames.OUTBOX_WAITING)
                .description("Outputs that are to be sent, counted once a minute by one of the nodes")
                .baseUnit("outputs")
                .register(registry);
        this.oldest = MultiGauge.builder(MeterNames.OUTBOX_OLDEST)
                .description("Age of the oldest of them when they were counted last")
                .baseUnit("seconds")
                .register(registry);
        this.refused = MultiGauge.builder(MeterNames.OUTBOX_REFUSED)
                .description("Outputs that Kafka refused for good, counted with them")
                .baseUnit("outputs")
                .register(registry);
    }

    /** Counts, by two queries. If the store fails, the meters are gone until it works again. */
    void sample() {
        clear();
        OutboxTotal total = store.total();
        show(waiting, (double) total.waiting());
        show(oldest, total.age().toMillis() / 1000.0);
        show(refused, (double) total.refused());
    }

    private static void show(MultiGauge gauge, double value) {
        gauge.register(List.of(MultiGauge.Row.of(Tags.empty(), value)), true);
    }

    void clear() {
        List.of(waiting, oldest, refused).forEach(each -> each.register(List.of(), true));
    }
}
