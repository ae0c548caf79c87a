package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.DuplicateCache;
import io.idempotency.cache.CaffeineCache;
import io.idempotency.jdbc.JdbcQuarantine;
import io.idempotency.jdbc.Schema;
import io.idempotency.jdbc.TableStore;
import io.idempotency.memory.MemoryQuarantine;
import io.idempotency.memory.MemoryStore;
import io.idempotency.micrometer.IdempotencyMeters;
import io.idempotency.micrometer.MeterNames;
import io.idempotency.micrometer.QuarantineMeters;
import io.idempotency.outbox.Outbox;
import io.idempotency.outbox.OutboxStore;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.PurgeListener;
import io.idempotency.store.QuarantineStore;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.availability.ApplicationAvailabilityAutoConfiguration;
import org.springframework.boot.availability.AvailabilityChangeEvent;
import org.springframework.boot.availability.LivenessState;
import org.springframework.boot.availability.ReadinessState;
import org.springframework.boot.health.actuate.endpoint.HealthEndpoint;
import org.springframework.boot.health.autoconfigure.actuate.endpoint.AvailabilityProbesAutoConfiguration;
import org.springframework.boot.health.autoconfigure.actuate.endpoint.HealthEndpointAutoConfiguration;
import org.springframework.boot.health.autoconfigure.application.AvailabilityHealthContributorAutoConfiguration;
import org.springframework.boot.health.autoconfigure.contributor.HealthContributorAutoConfiguration;
import org.springframework.boot.health.autoconfigure.registry.HealthContributorRegistryAutoConfiguration;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.event.ConsumerStartedEvent;
import org.springframework.kafka.event.ConsumerStoppedEvent;
import org.springframework.kafka.event.ConsumerStoppedEvent.Reason;
import org.springframework.kafka.listener.MessageListenerContainer;
import org.springframework.kafka.support.converter.RecordMessageConverter;
import org.springframework.kafka.support.converter.StringJacksonJsonMessageConverter;

/** What is set up, when, and what it steps back from. */
class AutoConfigurationTest {

    private final ApplicationContextRunner runner = Runners.h2();

    static class Listener {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent("billing")
        void charge(String order) {}
    }

    @Test
    void setsUpTheTableStoreWithQuarantineAndPurgeOnTheDataSource() {
        runner.withPropertyValues("idempotency.purge.enabled=true").run(context -> {
            assertThat(context.getBean(TableStore.class)).isNotNull();
            assertThat(context).hasSingleBean(JdbcQuarantine.class).hasSingleBean(QuarantineRecoverer.class);
            assertThat(context.getBean(Purges.class).count()).isEqualTo(1);
        });
    }

    @Test
    void tellsTheMetersAndAListenerOfTheApplicationOfEachPurge() {
        BlockingQueue<String> told = new LinkedBlockingQueue<>();
        MeterRegistry registry = new SimpleMeterRegistry();
        runner.withPropertyValues("idempotency.purge.enabled=true")
                .withBean(MeterRegistry.class, () -> registry)
                .withBean(PurgeListener.class, () -> (store, messages, took) -> told.add(store))
                .run(context -> {
                    assertThat(context.getBean(TableStore.class)).isNotNull();

                    assertThat(told.poll(1, TimeUnit.MINUTES)).isEqualTo("table");
                    Awaitility.await()
                            .untilAsserted(() -> assertThat(registry.find(MeterNames.PURGE_TIME)
                                            .tag("store", "table")
                                            .timer())
                                    .isNotNull());
                });
    }

    @Test
    @Tag("rule-5.12")
    void createsNoStoreAndTouchesNoListenerIfSwitchedOff() {
        runner.withUserConfiguration(Listener.class)
                .withConfiguration(AutoConfigurations.of(SwitchedOffAutoConfiguration.class))
                .withPropertyValues("idempotency.enabled=false", "idempotency.schema.mode=validate")
                .run(context -> {
                    assertThat(context)
                            .hasNotFailed()
                            .doesNotHaveBean(ListenerInstaller.class)
                            .doesNotHaveBean(IdempotentListeners.class)
                            .doesNotHaveBean(Purges.class)
                            .hasSingleBean(QuarantineRecoverer.class);
                    assertThat(context.getSourceApplicationContext().getBeanFactory())
                            .matches(beans -> !beans.containsSingleton(IdempotencyAutoConfiguration.TABLE_STORE))
                            .matches(beans -> !beans.containsSingleton(IdempotencyAutoConfiguration.JOURNAL_STORE));
                });
    }

    @Test
    @Tag("rule-5.12")
    void isNotSwitchedOffByItself() {
        runner.withConfiguration(AutoConfigurations.of(SwitchedOffAutoConfiguration.class))
                .run(context -> assertThat(context).doesNotHaveBean(SwitchedOff.class));
    }

    @Configuration(proxyBeanMethods = false)
    static class Sending {

        @Bean
        RecordMessageConverter json() {
            return new StringJacksonJsonMessageConverter();
        }

        @Bean
        String sending(
                Outbox<String, String> outbox,
                KafkaTemplate<String, String> kafka,
                @Qualifier("outboxTemplate") KafkaTemplate<String, Object> template,
                RecordMessageConverter json) {
            assertThat(template).isInstanceOf(OutboxTemplate.class).isNotSameAs(kafka);
            assertThat(template.getMessageConverter()).isSameAs(json);
            assertThat(outbox).isNotNull();
            return "sending";
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @SuppressWarnings("unchecked")
    void hasAnOutboxOnRequestAlsoIfListenersAreSwitchedOff(boolean isEnabled) {
        runner.withConfiguration(AutoConfigurations.of(SwitchedOffAutoConfiguration.class))
                .withUserConfiguration(Sending.class)
                .withPropertyValues(
                        "idempotency.enabled=" + isEnabled,
                        "idempotency.schema.mode=always",
                        "idempotency.outbox.enabled=true",
                        "idempotency.outbox.relay=false")
                .run(context -> {
                    assertThat(context).hasNotFailed().doesNotHaveBean(RunningRelay.class);
                    // Nothing else creates the tables of an application that is switched off.
                    Schema.on(context.getBean(DataSource.class)).create();
                    context.getBean(OutboxTemplate.class).outbox().send(new ProducerRecord<>("orders", "value"));
                    assertThat(context.getBean(OutboxStore.class).total().waiting())
                            .isEqualTo(1);
                });
    }

    @Test
    void doesNotPurgeIfSwitchedOff() {
        runner.withPropertyValues("idempotency.purge.enabled=false")
                .run(context -> assertThat(context).doesNotHaveBean(Purges.class));
    }

    @Test
    void worksInMemoryWithoutADatabase() {
        Runners.withoutDatabase()
                .withUserConfiguration(Listener.class)
                .withPropertyValues("idempotency.store=memory")
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(TableStore.class));
    }

    @Test
    void touchesNoTablesIfTheStoreIsInMemory() {
        runner.withUserConfiguration(Listener.class)
                .withPropertyValues("idempotency.store=memory", "idempotency.schema.mode=validate")
                .run(context -> assertThat(context)
                        .hasNotFailed()
                        .doesNotHaveBean(SchemaCreation.class)
                        .hasSingleBean(QuarantineStore.class)
                        .hasSingleBean(MemoryQuarantine.class));
    }

    @Test
    void refusesTheTableStoreWithoutADatabase() {
        Runners.withoutDatabase().withUserConfiguration(Listener.class).run(context -> {
            assertThat(context).hasFailed();
            assertThat(context.getStartupFailure())
                    .hasStackTraceContaining("The store table")
                    .hasStackTraceContaining("need a data source");
        });
    }

    static class OwnBeans {
        private final MemoryStore store = MemoryStore.create();

        @Bean
        ClaimStore ownStore() {
            return store;
        }

        @Bean
        QuarantineStore ownQuarantine() {
            return new MemoryQuarantine(store);
        }

        @Bean
        DuplicateCache ownCache() {
            return DuplicateCache.none();
        }
    }

    @Test
    void stepsBackFromTheUsersOwnBeans() {
        runner.withUserConfiguration(OwnBeans.class, Listener.class).run(context -> {
            assertThat(context)
                    .hasNotFailed()
                    .doesNotHaveBean(TableStore.class)
                    .doesNotHaveBean(JdbcQuarantine.class)
                    .doesNotHaveBean(Purges.class)
                    .doesNotHaveBean(CaffeineCache.class);
            assertThat(context.getBean(ClaimStore.class)).isSameAs(context.getBean("ownStore"));
            ListenerDefinition listener = ListenerDefinition.of(
                    Listener.class,
                    Listener.class,
                    Listener.class.getDeclaredMethods()[0].getAnnotation(Idempotent.class));
            assertThat(new Stores(context.getBean(IdempotencyProperties.class), context).of(listener))
                    .isSameAs(context.getBean("ownStore"));
        });
    }

    @Test
    void cachesDuplicatesWhereCaffeineIsThere() {
        runner.run(context -> assertThat(context).hasSingleBean(DuplicateCache.class));
        runner.withClassLoader(new FilteredClassLoader("com.github.benmanes.caffeine"))
                .withUserConfiguration(Listener.class)
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(DuplicateCache.class));
    }

    static class Registry {
        @Bean
        MeterRegistry registry() {
            return new SimpleMeterRegistry();
        }
    }

    @Test
    void countsWhereMicrometerIsThere() {
        runner.withUserConfiguration(Registry.class)
                .run(context -> assertThat(context)
                        .hasSingleBean(IdempotencyMeters.class)
                        .hasSingleBean(QuarantineMeters.class));
        runner.run(context ->
                assertThat(context).doesNotHaveBean(IdempotencyMeters.class).doesNotHaveBean(QuarantineMeters.class));
        runner.withClassLoader(new FilteredClassLoader("io.micrometer.core"))
                .withUserConfiguration(Listener.class)
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(IdempotencyMeters.class));
    }

    @Test
    void countsTheQuarantineByALeaseInTheTable() {
        runner.withUserConfiguration(Registry.class, Listener.class).run(context -> {
            context.getBean(QuarantineMeters.class).count();

            assertThat(context.getBean(MeterRegistry.class)
                            .get(MeterNames.QUARANTINED)
                            .tag("consumer", "billing")
                            .gauge()
                            .value())
                    .isZero();
        });
    }

    @Test
    void tellsTheMetersOfPurges() {
        runner.withUserConfiguration(Registry.class)
                .withPropertyValues("idempotency.purge.enabled=true", "idempotency.purge.interval=1ms")
                .run(context -> {
                    context.getBean(TableStore.class);
                    Awaitility.await()
                            .untilAsserted(() -> assertThat(context.getBean(MeterRegistry.class)
                                            .find(MeterNames.PURGE_TIME)
                                            .tag("store", "table")
                                            .timer())
                                    .isNotNull());
                });
    }

    @Test
    void keepsHealthOutOfLivenessAndReadiness() {
        runner.withUserConfiguration(Listener.class)
                .withConfiguration(AutoConfigurations.of(
                        ApplicationAvailabilityAutoConfiguration.class,
                        AvailabilityHealthContributorAutoConfiguration.class,
                        AvailabilityProbesAutoConfiguration.class,
                        HealthContributorRegistryAutoConfiguration.class,
                        HealthContributorAutoConfiguration.class,
                        HealthEndpointAutoConfiguration.class))
                .withPropertyValues(
                        "management.endpoint.health.probes.enabled=true",
                        "management.endpoints.web.exposure.include=health",
                        "management.health.livenessstate.enabled=true",
                        "management.health.readinessstate.enabled=true")
                .run(context -> {
                    MessageListenerContainer container = context.getBean(KafkaListenerEndpointRegistry.class)
                            .getListenerContainers()
                            .iterator()
                            .next();
                    AvailabilityChangeEvent.publish(context, LivenessState.CORRECT);
                    AvailabilityChangeEvent.publish(context, ReadinessState.ACCEPTING_TRAFFIC);
                    context.publishEvent(new ConsumerStoppedEvent(container, container, Reason.AUTH));

                    HealthEndpoint health = context.getBean(HealthEndpoint.class);
                    assertThat(health.health().getStatus()).isEqualTo(Status.DOWN);
                    assertThat(Objects.requireNonNull(health.healthForPath("liveness"))
                                    .getStatus())
                            .isEqualTo(Status.UP);
                    assertThat(Objects.requireNonNull(health.healthForPath("readiness"))
                                    .getStatus())
                            .isEqualTo(Status.UP);
                });
    }

    @Test
    void tellsHealthWhereThatIsThereAndWanted() {
        runner.run(context -> assertThat(context).hasSingleBean(IdempotencyHealth.class));
        runner.withPropertyValues("management.health.idempotency.enabled=false")
                .run(context -> assertThat(context).doesNotHaveBean(HealthIndicator.class));
        runner.withClassLoader(new FilteredClassLoader("org.springframework.boot.health"))
                .withUserConfiguration(Listener.class)
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(IdempotencyHealth.class));
    }

    static class Others {
        @KafkaListener(id = "others", topics = "orders", groupId = "others")
        void charge(String order) {}
    }

    @Test
    @Tag("rule-5.6")
    void tellsHealthOfAThreadOfAnIdempotentListenerThatEnded() {
        runner.withUserConfiguration(Listener.class, Others.class).run(context -> {
            IdempotencyHealth health = context.getBean(IdempotencyHealth.class);
            for (MessageListenerContainer container :
                    context.getBean(KafkaListenerEndpointRegistry.class).getListenerContainers()) {
                boolean isIdempotent = !"others".equals(container.getListenerId());
                context.publishEvent(new ConsumerStoppedEvent(container, container, Reason.NORMAL));
                assertThat(health.health().getStatus()).isEqualTo(Status.UP);
                context.publishEvent(new ConsumerStoppedEvent(container, container, Reason.AUTH));
                assertThat(health.health().getStatus()).isEqualTo(isIdempotent ? Status.DOWN : Status.UP);
                context.publishEvent(new ConsumerStartedEvent(container, container));
                assertThat(health.health().getStatus()).isEqualTo(Status.UP);
            }
        });
    }

    @Test
    void worksWithoutFlyway() {
        runner.withClassLoader(new FilteredClassLoader("org.flywaydb"))
                .withUserConfiguration(Listener.class)
                .run(context -> assertThat(context).hasNotFailed());
    }
}
