package io.idempotency.spring;

import io.idempotency.Consumption;
import io.idempotency.ConsumptionListener;
import io.idempotency.Outcome;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/**
 * Knows which partitions of which consumers fail again and again without getting on, and why; down after a while of that. A partition that
 * gets on, or fails at another message, is forgotten. Thread-safe.
 */
final class Standstill implements ConsumptionListener, HealthIndicator {

    /** How long a partition may fail at one message before health tells. */
    static final Duration PATIENCE = Duration.ofMinutes(1);

    private record Stuck(String at, String why, long sinceNanos) {}

    private final Map<String, Stuck> stuck = new ConcurrentHashMap<>();
    private final java.util.function.LongSupplier nanoTime;

    Standstill(java.util.function.LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    @Override
    public void onConsumption(Consumption consumption) {
        String lane = lane(
                consumption.delivery().id().consumer(),
                consumption.delivery().position().stream(),
                consumption.delivery().position().partition());
        if (consumption.outcome() != Outcome.RELEASED && consumption.outcome() != Outcome.IN_PROGRESS) {
            stuck.remove(lane);
            return;
        }
        String at = consumption.delivery().toString();
        String why = consumption.failure().map(Standstill::text).orElse("in progress elsewhere");
        stuck.compute(
                lane,
                (key, before) -> new Stuck(
                        at,
                        why,
                        before != null && before.at().equals(at) ? before.sinceNanos() : nanoTime.getAsLong()));
    }

    /** {@inheritDoc} Health tells of it where it is consumed now. */
    @Override
    public void onRevoked(String consumer, String stream, int partition) {
        stuck.remove(lane(consumer, stream, partition));
    }

    private static String lane(String consumer, String stream, int partition) {
        return consumer + " on " + stream + "-" + partition;
    }

    private static String text(Throwable failure) {
        try {
            return String.valueOf(failure);
        } catch (RuntimeException | StackOverflowError e) {
            return failure.getClass().getName();
        }
    }

    @Override
    public Health health() {
        Map<String, String> told = new TreeMap<>();
        stuck.forEach((lane, where) -> {
            long nanos = nanoTime.getAsLong() - where.sinceNanos();
            if (nanos > PATIENCE.toNanos()) {
                told.put(
                        lane,
                        "stands still at " + where.at() + " for "
                                + Duration.ofNanos(nanos).toSeconds() + " s: " + where.why());
            }
        });
        return (told.isEmpty() ? Health.up() : Health.down()).withDetails(told).build();
    }
}
