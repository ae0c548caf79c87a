package io.idempotency.micrometer;

import io.idempotency.ConsistencyLevel;
import io.idempotency.Consumption;
import io.idempotency.Duplicate;
import io.idempotency.Outcome;
import io.idempotency.memory.MemoryStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Measures the counting of a message, in a registry for Prometheus. */
@State(Scope.Thread)
public class IdempotencyMetersBenchmark {

    private static final int MESSAGES = 500;

    private final IdempotencyMeters meters = meters();
    private final List<Consumption> processed = consumptions(Outcome.PROCESSED, Optional.empty());
    private final List<Consumption> duplicates = consumptions(
            Outcome.DUPLICATE,
            Optional.of(
                    new Duplicate(Duplicate.Kind.REDELIVERY, new Position("orders", 0, 0), Duration.ofSeconds(30))));

    private static IdempotencyMeters meters() {
        IdempotencyMeters meters = IdempotencyMeters.of(new PrometheusMeterRegistry(PrometheusConfig.DEFAULT));
        meters.onBuilt("billing", ConsistencyLevel.STRONG, false, MemoryStore.create());
        return meters;
    }

    private static List<Consumption> consumptions(Outcome outcome, Optional<Duplicate> duplicate) {
        return IntStream.range(0, MESSAGES)
                .mapToObj(offset -> new Consumption(
                        ConsistencyLevel.STRONG,
                        new Delivery(
                                new MessageId("billing", UUID.randomUUID().toString()),
                                new Position("orders", 0, offset)),
                        outcome,
                        0,
                        duplicate,
                        Optional.empty(),
                        0,
                        outcome == Outcome.PROCESSED ? 1_000 : 0))
                .toList();
    }

    /** Counts messages that were processed. */
    @Benchmark
    @OperationsPerInvocation(MESSAGES)
    public void countsProcessed() {
        processed.forEach(meters::onConsumption);
    }

    /** Counts duplicates, with their ages. */
    @Benchmark
    @OperationsPerInvocation(MESSAGES)
    public void countsDuplicates() {
        duplicates.forEach(meters::onConsumption);
    }
}
