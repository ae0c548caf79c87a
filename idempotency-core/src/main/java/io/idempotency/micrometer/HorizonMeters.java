package io.idempotency.micrometer;

import io.idempotency.store.ClaimStore;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Shows how far back the consumers of this process remember, as it was when somebody asked the stores last. Confined to the thread that counts. */
final class HorizonMeters {

    private final Function<String, ClaimStore> stores;
    private final MultiGauge ages;

    /** @param stores where a consumer of this process remembers */
    HorizonMeters(MeterRegistry registry, Function<String, ClaimStore> stores) {
        this.stores = stores;
        this.ages = MultiGauge.builder(MeterNames.HORIZON_AGE)
                .description("How far back messages are remembered, asked once a minute")
                .baseUnit("seconds")
                .register(registry);
    }

    /** Asks, two round trips for each consumer. If a store fails, the meters are gone until it works again. */
    void sample(Iterable<String> consumers) {
        List<MultiGauge.Row<?>> rows = new ArrayList<>();
        try {
            for (String consumer : consumers) {
                age(consumer)
                        .ifPresent(age -> rows.add(MultiGauge.Row.of(Tags.of("consumer", consumer), age.toSeconds())));
            }
        } catch (RuntimeException | Error e) {
            rows.clear();
            throw e;
        } finally {
            ages.register(rows, true);
        }
    }

    /** Returns how far back a consumer remembers; empty if it forgets nothing yet, or its store has no verbs for operators. */
    private Optional<Duration> age(String consumer) {
        ClaimStore store = stores.apply(consumer);
        Optional<Instant> since;
        try {
            since = store.messages().retained(consumer).since();
        } catch (UnsupportedOperationException e) {
            return Optional.empty();
        }
        return since.map(moment -> Duration.between(moment, store.now()));
    }

    void clear() {
        ages.register(List.of(), true);
    }
}
