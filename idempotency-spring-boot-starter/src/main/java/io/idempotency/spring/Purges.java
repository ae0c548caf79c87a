package io.idempotency.spring;

import io.idempotency.jdbc.Purger;
import io.idempotency.store.ClaimStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Runs the purges of the starter's stores. The purge of a store begins when a listener needs the store and Spring creates it. Thread-safe. */
final class Purges implements AutoCloseable {

    private final IdempotencyProperties.Purge properties;
    private final List<Purger> running = new ArrayList<>();

    Purges(IdempotencyProperties.Purge properties) {
        this.properties = properties;
    }

    synchronized void begin(ClaimStore store, Duration retention) {
        running.add(Purger.of(store)
                .retention(retention)
                .interval(properties.interval())
                .batchSize(properties.batchSize())
                .start());
    }

    synchronized int count() {
        return running.size();
    }

    @Override
    public synchronized void close() {
        running.forEach(Purger::close);
    }
}
