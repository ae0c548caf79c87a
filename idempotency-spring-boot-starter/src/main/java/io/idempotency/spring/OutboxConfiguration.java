package io.idempotency.spring;

import io.idempotency.jdbc.JdbcOutbox;
import io.idempotency.jdbc.JdbcTransactions;
import io.idempotency.micrometer.OutboxMeters;
import io.idempotency.outbox.Outbox;
import io.idempotency.outbox.OutboxListener;
import io.idempotency.outbox.OutboxOperations;
import io.idempotency.outbox.OutboxRelay;
import io.idempotency.outbox.OutboxStore;
import io.idempotency.store.AuditStore;
import io.micrometer.core.instrument.MeterRegistry;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.jdbc.metadata.DataSourcePoolMetadataProvider;
import org.springframework.boot.sql.init.dependency.DependsOnDatabaseInitialization;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.DependsOn;
import org.springframework.context.annotation.Lazy;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.kafka.support.converter.RecordMessageConverter;

/** Sets up the outbox and its relay, if {@code idempotency.outbox.enabled} is set and the default store is in the database. */
@Configuration(proxyBeanMethods = false)
@ConditionalOnBooleanProperty("idempotency.outbox.enabled")
@Conditional({StoreDataSource.Condition.class, DatabaseConfiguration.IsWanted.class})
class OutboxConfiguration {

    static final String TEMPLATE = "outboxTemplate";

    @Bean
    @ConditionalOnMissingBean(OutboxStore.class)
    @DependsOn(DatabaseConfiguration.SCHEMA)
    @DependsOnDatabaseInitialization
    JdbcOutbox idempotencyOutboxStore(StoreDataSource dataSource, IdempotencyProperties properties) {
        return JdbcOutbox.on(dataSource.value())
                .tablePrefix(properties.schema().tablePrefix())
                .schema(properties.schema().name());
    }

    /** In transactions of the store, so that an act and its audit record commit together. */
    @Bean
    @Lazy
    @ConditionalOnMissingBean
    OutboxOperations idempotencyOutboxOperations(OutboxStore store, AuditStore audit, StoreTransactions transactions) {
        return OutboxOperations.of(
                store, audit, JdbcTransactions.on(transactions.dataSource(), transactions.manager()));
    }

    @Bean
    @ConditionalOnBooleanProperty(name = "idempotency.outbox.relay", matchIfMissing = true)
    RunningRelay idempotencyOutboxRelay(
            OutboxStore store,
            ProducerFactory<?, ?> factory,
            IdempotencyProperties properties,
            ObjectProvider<OutboxListener> listeners,
            ListeningPool pool) {
        OutboxRelay.Builder builder = OutboxRelay.of(store, factory.getConfigurationProperties())
                .batchSize(properties.outbox().batchSize())
                .interval(properties.outbox().interval())
                .listening(properties.outbox().listen() && pool.hasRoom());
        return new RunningRelay(store, builder, listeners.orderedStream().toList());
    }

    @Bean
    ListeningPool idempotencyOutboxPool(
            StoreDataSource dataSource, ObjectProvider<DataSourcePoolMetadataProvider> providers) {
        return new ListeningPool(dataSource.value(), providers.orderedStream().toList());
    }

    @Bean
    @ConditionalOnMissingBean
    Outbox<?, ?> idempotencyOutbox(
            OutboxStore store,
            ProducerFactory<?, ?> factory,
            IdempotencyProperties properties,
            ObjectProvider<RunningRelay> relay) {
        Outbox<Object, Object> outbox = Outbox.of(
                        store, ProducerSetup.serializer(factory, true), ProducerSetup.serializer(factory, false))
                .header(properties.messageId().headers().get(0));
        RunningRelay running = relay.getIfAvailable();
        return running == null ? outbox : outbox.waking(running::wake);
    }

    /**
     * Injected where it is asked for by its name, so that the {@code KafkaTemplate} of the application stays the only one of its type. It converts messages as that
     * one does.
     */
    @Bean(name = TEMPLATE, defaultCandidate = false)
    @SuppressWarnings("unchecked")
    OutboxTemplate<?, ?> idempotencyOutboxTemplate(
            Outbox<?, ?> outbox, ProducerFactory<?, ?> factory, ObjectProvider<RecordMessageConverter> converter) {
        OutboxTemplate<Object, Object> template =
                new OutboxTemplate<>((Outbox<Object, Object>) outbox, (ProducerFactory<Object, Object>) factory);
        converter.ifUnique(template::setMessageConverter);
        return template;
    }

    /** Sets up the meters of the relay, if Micrometer is on the class path. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(MeterRegistry.class)
    @ConditionalOnBean(MeterRegistry.class)
    @ConditionalOnBooleanProperty(name = "idempotency.outbox.relay", matchIfMissing = true)
    static class Meters {

        @Bean
        OutboxMeters idempotencyOutboxMeters(MeterRegistry registry) {
            return OutboxMeters.of(registry);
        }
    }
}
