package io.idempotency.jdbc;

import io.idempotency.store.Delivery;
import io.idempotency.store.UnjudgedStatistics;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/** What a store does with deliveries that it cannot judge, and how often it did. Thread-safe. */
final class UnjudgedRecords implements UnjudgedStatistics {

    private final Unjudged choice;
    private final Map<String, LongAdder> counts = new ConcurrentHashMap<>();

    UnjudgedRecords(Unjudged choice) {
        this.choice = choice;
    }

    /** Counts a delivery, and returns what to do with it. */
    Unjudged decide(Delivery delivery) {
        counts.computeIfAbsent(delivery.id().consumer(), consumer -> new LongAdder())
                .increment();
        return choice;
    }

    Unjudged choice() {
        return choice;
    }

    private Action action() {
        return switch (choice) {
            case REFUSE -> Action.REFUSED;
            case PROCESS -> Action.PROCESSED;
            case SKIP -> Action.SKIPPED;
        };
    }

    @Override
    public long unjudged(String consumer, Action action) {
        LongAdder count = counts.get(consumer);
        return count == null || action != action() ? 0 : count.sum();
    }
}
