package io.idempotency.spring;

import static io.idempotency.spring.ListenerChecks.refuseIf;

import io.idempotency.ConsistencyLevel;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.LeaseStore;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.jdbc.datasource.DelegatingDataSource;
import org.springframework.jdbc.datasource.lookup.AbstractRoutingDataSource;
import org.springframework.util.ClassUtils;

/** Checks applications with tenants: a listener that chooses its tenant does so after the claim has taken the connection. */
final class TenantChecks {

    private static final Logger log = LoggerFactory.getLogger(Idempotent.class);
    private static final String RESOLVER = "org.hibernate.context.spi.CurrentTenantIdentifierResolver";

    private final ListableBeanFactory beans;

    TenantChecks(ListableBeanFactory beans) {
        this.beans = beans;
    }

    /** Refuses stores and levels that cannot follow a tenant to another database, and warns if nobody sets the tenant in time. */
    void require(ListenerDefinition listener, ConsistencyLevel level, ClaimStore store) {
        boolean isRouting = isRouting();
        if (beans.getBeanNamesForType(RecordScope.class).length > 0) {
            refuseIf(
                    isRouting && !(store instanceof LeaseStore),
                    listener
                            + " has journals, whose memory belongs to one database, but its data source routes to several",
                    "Give this listener the table store, by store = \"table\" or idempotency.consumers."
                            + listener.name() + ".store=table.");
            refuseIf(
                    isRouting && level == ConsistencyLevel.AT_LEAST_ONCE,
                    listener
                            + " has leases, which are renewed outside of any RecordScope, but its data source routes to several databases",
                    "Use the level STRONG, or a data source that does not route.");
        } else if (isRouting || hasResolver()) {
            log.warn(
                    "{} runs in a transaction that takes its connection and session before the first line of the listener, and"
                            + " there is {}. A tenant that the listener sets comes too late. Set it in a RecordScope bean.",
                    listener,
                    isRouting ? "a routing data source" : "a tenant resolver of Hibernate's");
        }
    }

    /** Refuses to begin behind settled offsets of one database, where the messages of another one may be forgotten. */
    void requireOneDatabase(ListenerDefinition listener) {
        refuseIf(
                isRouting(),
                listener
                        + " is to start from the store, but its data source routes to several databases, and there is no tenant when partitions are assigned",
                "Remove " + StartingConsumers.property(listener)
                        + ", or give the starter a data source that does not route.");
    }

    private boolean isRouting() {
        StoreDataSource of = beans.getBeanProvider(StoreDataSource.class).getIfAvailable();
        @Nullable DataSource dataSource = of == null ? null : of.value();
        while (dataSource instanceof DelegatingDataSource delegating) {
            dataSource = delegating.getTargetDataSource();
        }
        return dataSource instanceof AbstractRoutingDataSource;
    }

    private boolean hasResolver() {
        ClassLoader loader = getClass().getClassLoader();
        return ClassUtils.isPresent(RESOLVER, loader)
                && beans.getBeanNamesForType(ClassUtils.resolveClassName(RESOLVER, loader)).length > 0;
    }
}
