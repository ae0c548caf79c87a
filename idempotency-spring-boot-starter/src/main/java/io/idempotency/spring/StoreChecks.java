package io.idempotency.spring;

import static io.idempotency.spring.ListenerChecks.refuseIf;

import io.idempotency.ConsistencyLevel;
import io.idempotency.kafka.TopicRetention;
import io.idempotency.memory.MemoryStore;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.LeaseStore;
import java.time.Duration;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Refuses a store that cannot serve its listener, and warns about one that serves it with less than it seems to. */
final class StoreChecks {

    private static final Logger log = LoggerFactory.getLogger(Idempotent.class);

    private final Stores stores;
    private final TenantChecks tenants;

    StoreChecks(Stores stores, TenantChecks tenants) {
        this.stores = stores;
        this.tenants = tenants;
    }

    /**
     * Checks the store of a listener.
     *
     * @param kafka the properties of its Kafka consumer
     * @param isRetry whether the container is one of a retry topic
     */
    void require(ListenerDefinition listener, ConsistencyLevel level, Map<String, Object> kafka, boolean isRetry) {
        if (level == ConsistencyLevel.NONE) {
            return;
        }
        Duration pollInterval = TopicRetention.pollInterval(kafka);
        stores.retention(listener)
                .ifPresent(
                        retention -> refuseIf(
                                retention.compareTo(pollInterval) < 0,
                                listener + " forgets a message after " + retention
                                        + ", but it may be redelivered later than that: its offset may be committed as late as after max.poll.interval.ms, "
                                        + pollInterval,
                                "Lengthen idempotency.retention, or idempotency.journal.retention if the store is the journal."));
        ClaimStore store = stores.of(listener);
        String name = store.getClass().getSimpleName();
        tenants.require(listener, level, store);
        if (level == ConsistencyLevel.STRONG && store instanceof MemoryStore && stores.hasDataSource()) {
            log.warn(
                    "{} has a store in memory beside a data source. It gets no transaction, so rows that a failed call wrote remain. Use the store"
                            + " table, in tests, too.",
                    listener);
        }
        refuseIf(
                level == ConsistencyLevel.AT_LEAST_ONCE && !(store instanceof LeaseStore),
                listener + " has the level AT_LEAST_ONCE, but its store, " + name + ", does not support leases",
                "Give this listener the table store, by store = \"table\" or idempotency.consumers." + listener.name()
                        + ".store=table; or the level STRONG.");
        refuseIf(
                isRetry && store.isPartitioned(),
                listener + " has retry topics, but its store, " + name
                        + ", detects a duplicate only in the partition of the original",
                "Give this listener the table store, by store = \"table\" or idempotency.consumers." + listener.name()
                        + ".store=table; or retry on the topic itself, by the back-off of a DefaultErrorHandler; or, if unrecognised"
                        + " copies do no harm, set idempotency.journal.accept-missed-duplicates=true.");
    }
}
