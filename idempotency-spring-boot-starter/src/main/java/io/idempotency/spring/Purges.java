package io.idempotency.spring;

import io.idempotency.QuarantineKeeper;
import io.idempotency.jdbc.JdbcResults;
import io.idempotency.jdbc.Purger;
import io.idempotency.store.AuditStore;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.PurgeListener;
import io.idempotency.store.QuarantineStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;

/** Runs the purges of the starter's stores. The purge of a store begins when a listener needs the store and Spring creates it. Thread-safe. */
final class Purges implements AutoCloseable {

    private final IdempotencyProperties properties;
    private final AuditStore audit;
    private final ObjectProvider<QuarantineStore> quarantine;
    private final ObjectProvider<PurgeListener> listeners;
    private final List<Purger> running = new ArrayList<>();
    private volatile @Nullable JdbcResults results;

    Purges(
            IdempotencyProperties properties,
            AuditStore audit,
            ObjectProvider<QuarantineStore> quarantine,
            ObjectProvider<PurgeListener> listeners) {
        this.properties = properties;
        this.audit = audit;
        this.quarantine = quarantine;
        this.listeners = listeners;
    }

    private record All(List<PurgeListener> listeners) implements PurgeListener {

        @Override
        public void onStarted(String store) {
            listeners.forEach(each -> each.onStarted(store));
        }

        @Override
        public void onPurged(String store, long messages, Duration took) {
            listeners.forEach(each -> each.onPurged(store, messages, took));
        }
    }

    synchronized void begin(ClaimStore store, Duration retention) {
        Purger.Builder purger = Purger.of(store)
                .retention(retention)
                .interval(properties.purge().interval())
                .batchSize(properties.purge().batchSize())
                .audit(audit, properties.audit().retention());
        quarantine.ifUnique(messages -> purger.afterwards(keeper(store, messages, retention)));
        purger.afterwards(this::purgeResults);
        List<PurgeListener> told = listeners.orderedStream().toList();
        purger.listener(new All(told));
        running.add(purger.start());
    }

    /** Has each run purge these results, too. */
    void add(JdbcResults kept) {
        results = kept;
    }

    private void purgeResults() {
        JdbcResults kept = results;
        if (kept != null) {
            kept.purge();
        }
    }

    private QuarantineKeeper keeper(ClaimStore store, QuarantineStore messages, Duration retention) {
        Duration warningAge = properties.quarantine().warnAfter();
        QuarantineKeeper keeper =
                QuarantineKeeper.of(store, messages, audit, warningAge == null ? retention : warningAge);
        Duration time = properties.quarantine().retention();
        return time == null ? keeper : keeper.droppingAfter(time);
    }

    synchronized int count() {
        return running.size();
    }

    @Override
    public synchronized void close() {
        running.forEach(Purger::close);
    }
}
