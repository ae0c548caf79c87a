package io.idempotency.spring;

import io.idempotency.ConsumptionListener;
import io.idempotency.DuplicateCache;
import io.idempotency.Standstills;
import io.idempotency.kafka.PayloadCheck;
import io.idempotency.micrometer.IdempotencyMeters;
import io.idempotency.replay.ReplayStore;
import io.idempotency.store.QuarantineStore;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.observation.ObservationRegistry;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.kafka.autoconfigure.KafkaAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.Role;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.retrytopic.DestinationTopicResolver;

/** Sets up stores, tables, purge and the {@link Idempotent} listeners. Backs off from each bean that the application defines. */
@AutoConfiguration(
        after = {
            DataSourceAutoConfiguration.class,
            DataSourceTransactionManagerAutoConfiguration.class,
            KafkaAutoConfiguration.class
        },
        afterName = {
            "org.springframework.boot.hibernate.autoconfigure.HibernateJpaAutoConfiguration",
            "org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration",
            "org.springframework.boot.jackson.autoconfigure.JacksonAutoConfiguration"
        })
@ConditionalOnClass(KafkaListener.class)
@ConditionalOnBooleanProperty(name = "idempotency.enabled", matchIfMissing = true)
@EnableConfigurationProperties(IdempotencyProperties.class)
@Import({
    DatabaseConfiguration.class,
    SharedConfiguration.class,
    QuarantineMeterConfiguration.class,
    OutboxConfiguration.class,
    ResultConfiguration.class
})
public class IdempotencyAutoConfiguration {

    static final String TABLE_STORE = "idempotencyTableStore";
    static final String JOURNAL_STORE = "idempotencyJournalStore";
    static final String MEMORY_STORE = "idempotencyMemoryStore";

    /** Created by Spring. */
    IdempotencyAutoConfiguration() {}

    /** A bean post-processor needs it early. As infrastructure, it causes no warning about that. */
    @Bean(name = IdempotentListeners.BEAN)
    @Role(BeanDefinition.ROLE_INFRASTRUCTURE)
    static IdempotentListeners idempotentListeners(ObjectProvider<ListenerInstaller> installer) {
        return new IdempotentListeners(installer);
    }

    @Bean
    ListenerInstaller idempotencyListenerInstaller(
            IdempotencyProperties properties,
            ConfigurableListableBeanFactory beans,
            IdempotentListeners listeners,
            ContainerFitter fitter,
            ShareListeners shares) {
        return new ListenerInstaller(properties, beans, listeners, fitter, shares);
    }

    @Bean
    ShareListeners idempotencyShareListeners(
            IdempotencyProperties properties,
            Consumers consumers,
            ListenerChecks checks,
            ObjectProvider<ListenerReplays> replays) {
        return new ShareListeners(properties, consumers, checks, replays);
    }

    @Bean
    @ConditionalOnBooleanProperty(name = "idempotency.replay.enabled", matchIfMissing = true)
    ListenerReplays idempotencyListenerReplays(ObjectProvider<ReplayStore> replays, Observations observations) {
        return new ListenerReplays(replays, observations);
    }

    @Bean
    Observations idempotencyObservations(
            ObjectProvider<ObservationRegistry> registry, IdempotencyProperties properties) {
        return new Observations(
                () -> registry.getIfUnique(() -> ObservationRegistry.NOOP),
                properties.observation().messageId());
    }

    @Bean
    ContainerFitter idempotencyContainerFitter(
            IdempotencyProperties properties,
            Consumers consumers,
            ListenerChecks checks,
            Observations observations,
            ObjectProvider<DestinationTopicResolver> retryTopics,
            @Qualifier(OutboxConfiguration.TEMPLATE) ObjectProvider<OutboxTemplate<?, ?>> outbox) {
        return new ContainerFitter(properties, consumers, checks, observations, new RetryTopics(retryTopics), outbox);
    }

    @Bean
    IdempotentContainers idempotentContainers(ObjectProvider<ListenerInstaller> installer) {
        return new IdempotentContainers(installer);
    }

    @Bean
    ListenerChecks idempotencyListenerChecks(ConfigurableListableBeanFactory beans, IdempotencyProperties properties) {
        Stores stores = new Stores(properties, beans);
        return new ListenerChecks(
                new TransactionChecks(beans, stores, new ListenerTransactions(beans)),
                new StoreChecks(stores, new TenantChecks(beans)));
    }

    @Bean
    Consumers idempotencyConsumers(
            IdempotencyProperties properties, ConfigurableListableBeanFactory beans, ConsumerBeans shared) {
        return new Consumers(properties, beans, shared);
    }

    @Bean
    ConsumerBeans idempotencyConsumerBeans(
            ObjectProvider<DuplicateCache> cache,
            ObjectProvider<QuarantineStore> quarantine,
            ObjectProvider<ConsumptionListener> listeners,
            ObjectProvider<RecordScope> scope,
            ObjectProvider<PayloadCheck.Content> content) {
        return new ConsumerBeans(cache, quarantine, listeners, scope, content);
    }

    /** What health and meters tell of partitions that make no progress. */
    @Bean
    @ConditionalOnMissingBean
    Standstills idempotencyStandstills() {
        return new Standstills();
    }

    @Bean
    static OutputProducers idempotencyOutputProducers(ObjectProvider<IdempotencyProperties> properties) {
        return new OutputProducers(properties);
    }

    /** Sets up meters, if Micrometer is on the class path. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(MeterRegistry.class)
    @ConditionalOnBean(MeterRegistry.class)
    static class MeterConfiguration {

        @Bean
        IdempotencyMeters idempotencyMeters(MeterRegistry registry, Standstills standstills) {
            return IdempotencyMeters.of(registry, standstills);
        }
    }

    /** Sets up the health indicator, if Spring Boot's health module is on the class path. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(HealthIndicator.class)
    static class HealthConfiguration {

        /** Nested, because its condition is a class of the health module, too. */
        @Configuration(proxyBeanMethods = false)
        @ConditionalOnEnabledHealthIndicator("idempotency")
        static class Enabled {

            @Bean
            IdempotencyHealth idempotencyHealthIndicator(Standstills standstills, ObjectProvider<RunningRelay> relay) {
                return new IdempotencyHealth(standstills, relay::getIfAvailable);
            }
        }
    }
}
