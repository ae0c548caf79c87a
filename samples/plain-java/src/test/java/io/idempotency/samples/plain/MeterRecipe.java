package io.idempotency.samples.plain;

// tag::meters[]
import io.idempotency.IdempotentConsumer;
import io.idempotency.jdbc.JdbcQuarantine;
import io.idempotency.jdbc.Purger;
import io.idempotency.jdbc.TableStore;
import io.idempotency.micrometer.IdempotencyMeters;
import io.idempotency.micrometer.QuarantineMeters;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.List;
import java.util.Optional;
// end::meters[]
import javax.sql.DataSource;

/** Shows how a program without Spring counts what its consumers do. */
final class MeterRecipe {

    private MeterRecipe() {}

    static List<AutoCloseable> count(MeterRegistry registry, TableStore store, DataSource dataSource) {
        // tag::meters[]
        IdempotencyMeters meters = IdempotencyMeters.of(registry);
        IdempotentConsumer<String> billing = IdempotentConsumer.<String>named("billing")
                .store(store)
                .messageId(Optional::of)
                .listener(meters)
                .build();
        Purger purger = Purger.of(store).listener(meters).start();
        QuarantineMeters quarantine = QuarantineMeters.of(
                        registry, store, JdbcQuarantine.on(dataSource), () -> List.of("billing"))
                .horizons(consumer -> store)
                .start();
        // end::meters[]
        return List.of(billing, purger, quarantine);
    }
}
