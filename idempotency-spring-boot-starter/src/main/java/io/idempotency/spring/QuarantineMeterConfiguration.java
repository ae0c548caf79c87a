package io.idempotency.spring;

import io.idempotency.ConsumerStores;
import io.idempotency.Standstills;
import io.idempotency.jdbc.TableStore;
import io.idempotency.micrometer.QuarantineMeters;
import io.idempotency.outbox.OutboxStore;
import io.idempotency.store.QuarantineStore;
import io.micrometer.core.instrument.MeterRegistry;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.sql.init.dependency.DependsOnDatabaseInitialization;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.DependsOn;

/** Sets up the meters of the quarantine, if Micrometer is on the class path and the tables are in a database. */
@Configuration(proxyBeanMethods = false)
@ConditionalOnClass(MeterRegistry.class)
@ConditionalOnBean({MeterRegistry.class, StoreDataSource.class})
class QuarantineMeterConfiguration {

    /** Nodes agree by a lease in the table of messages, also if their listeners use journals, which have no leases. */
    @Bean
    @ConditionalOnMissingBean
    @DependsOn(DatabaseConfiguration.SCHEMA)
    @DependsOnDatabaseInitialization
    QuarantineMeters idempotencyQuarantineMeters(
            MeterRegistry registry,
            StoreTransactions transactions,
            IdempotencyProperties properties,
            QuarantineStore quarantine,
            Consumers listeners,
            ConsumerStores stores,
            Standstills standstills,
            ObjectProvider<OutboxStore> outbox) {
        TableStore leases = TableStore.builder(transactions.dataSource())
                .tablePrefix(properties.schema().tablePrefix())
                .schema(properties.schema().name())
                .claimTimeout(properties.claimTimeout())
                .transactionManager(transactions.manager())
                .build();
        QuarantineMeters meters = QuarantineMeters.of(registry, leases, quarantine, standstills::consumers)
                .horizons(consumer -> listeners.operated(consumer, stores));
        outbox.ifUnique(meters::outbox);
        return meters.start();
    }
}
