package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.jdbc.JournalStore;
import io.idempotency.jdbc.Purger;
import io.idempotency.jdbc.TableStore;
import io.idempotency.micrometer.MeterNames;
import io.idempotency.store.Claim;
import io.idempotency.store.Claim.Status;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.KafkaAdmin;

/** Which listeners get the journal store, with which settings, and what is set up for it. */
class JournalSelectionTest {

    private final ApplicationContextRunner runner = Runners.h2().withPropertyValues("idempotency.purge.enabled=true");

    static class Plain {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent("billing")
        void charge(String order) {}
    }

    static class Journal {
        @KafkaListener(topics = "refunds", groupId = "g")
        @Idempotent(value = "refunding", store = "journal")
        void refund(String order) {}
    }

    /** Of several clusters none is asked about topics, so that a test needs none. */
    @Configuration(proxyBeanMethods = false)
    static class SeveralClusters {
        @Bean
        KafkaAdmin one() {
            return new KafkaAdmin(Map.of());
        }

        @Bean
        KafkaAdmin other() {
            return new KafkaAdmin(Map.of());
        }
    }

    private final ApplicationContextRunner withoutKafka = runner.withUserConfiguration(SeveralClusters.class);

    private static ClaimStore storeOf(AssertableApplicationContext context, Class<?> listener) {
        return new Stores(context.getBean(IdempotencyProperties.class), context)
                .of(ListenerDefinition.of(
                        listener, listener, listener.getDeclaredMethods()[0].getAnnotation(Idempotent.class)));
    }

    private static boolean isCreated(AssertableApplicationContext context, String store) {
        return context.getSourceApplicationContext().getBeanFactory().containsSingleton(store);
    }

    @Test
    void isTheStoreOfEveryListenerByOneProperty() {
        runner.withUserConfiguration(Plain.class)
                .withPropertyValues("idempotency.store=journal")
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    assertThat(isCreated(context, IdempotencyAutoConfiguration.TABLE_STORE))
                            .isFalse();
                    assertThat(context.getBean(Purges.class).count()).isEqualTo(1);
                    assertThat(storeOf(context, Plain.class)).isSameAs(context.getBean(JournalStore.class));
                });
    }

    @Test
    void standsBesideTheTableStoreOfOtherListeners() {
        runner.withUserConfiguration(Plain.class, Journal.class).run(context -> {
            assertThat(context).hasNotFailed();
            assertThat(storeOf(context, Plain.class)).isInstanceOf(TableStore.class);
            assertThat(storeOf(context, Journal.class)).isInstanceOf(JournalStore.class);
            assertThat(context.getBean(Purges.class).count()).isEqualTo(2);
        });
    }

    @Configuration(proxyBeanMethods = false)
    static class Injected {
        final ClaimStore any;
        final JournalStore journal;

        Injected(ClaimStore any, JournalStore journal) {
            this.any = any;
            this.journal = journal;
        }
    }

    @Test
    void isInjectedByItsTypeAndNeverInPlaceOfTheTableStore() {
        runner.withUserConfiguration(Injected.class).run(context -> {
            assertThat(context.getBean(Injected.class).any).isInstanceOf(TableStore.class);
            assertThat(context.getBean(ClaimStore.class)).isInstanceOf(TableStore.class);
            assertThat(context.getBean(Injected.class).journal)
                    .isSameAs(context.getBean(IdempotencyAutoConfiguration.JOURNAL_STORE));
            assertThat(context.getBean(Purges.class).count()).isEqualTo(2);
        });
    }

    @Test
    void isChosenForAConsumerByItsProperty() {
        runner.withUserConfiguration(Plain.class)
                .withPropertyValues("idempotency.consumers.billing.store=journal")
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    assertThat(storeOf(context, Plain.class)).isInstanceOf(JournalStore.class);
                });
    }

    @Test
    void isNotCreatedIfNobodyNeedsIt() {
        runner.withUserConfiguration(Plain.class).run(context -> {
            assertThat(context).hasNotFailed();
            assertThat(isCreated(context, IdempotencyAutoConfiguration.JOURNAL_STORE))
                    .isFalse();
            assertThat(context.getBean(Purges.class).count()).isEqualTo(1);
        });
    }

    @Test
    void needsADataSource() {
        Runners.refuses(Runners.withoutDatabase(), Journal.class, "The store journal", "need a data source");
        Runners.refuses(
                runner.withPropertyValues("idempotency.store=memory"),
                Journal.class,
                "The store journal",
                "idempotency.store to be one of the two");
    }

    @Configuration(proxyBeanMethods = false)
    static class Own extends Journal {
        @Bean
        JournalStore own(DataSource dataSource) {
            return JournalStore.on(dataSource);
        }
    }

    @Test
    void stepsBackFromTheUsersOwn() {
        runner.withUserConfiguration(Own.class).run(context -> {
            assertThat(context).hasNotFailed().hasSingleBean(JournalStore.class);
            assertThat(storeOf(context, Journal.class)).isSameAs(context.getBean("own"));
            assertThat(context.getBean(Purges.class).count()).isZero();
        });
    }

    @Configuration(proxyBeanMethods = false)
    static class OwnPurger extends Journal {
        @Bean
        Purger own(DataSource dataSource) {
            return Purger.of(JournalStore.on(dataSource)).build();
        }
    }

    @Test
    void leavesThePurgeToTheUsersOwnPurger() {
        runner.withUserConfiguration(OwnPurger.class)
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(Purges.class));
    }

    @Test
    void takesStraysOnlyIfToldTo() {
        runner.withUserConfiguration(Journal.class)
                .run(context -> assertThat(context.getBean(JournalStore.class).isPartitioned())
                        .isTrue());
        runner.withUserConfiguration(Journal.class)
                .withPropertyValues("idempotency.journal.accept-missed-duplicates=true")
                .run(context -> assertThat(context.getBean(JournalStore.class).isPartitioned())
                        .isFalse());
    }

    @Test
    void boundsItsMemoryAsSet() {
        withoutKafka.withPropertyValues("idempotency.journal.memory=1B").run(context -> {
            // Another process, before this one meets the partition.
            claimed(JournalStore.on(context.getBean(DataSource.class)), 1, "first");

            assertThatThrownBy(() -> claimed(context.getBean(JournalStore.class), 2, "second"))
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("idempotency.journal.memory");
        });
    }

    @Test
    void forgetsAndJudgesAsSet() {
        ApplicationContextRunner full = withoutKafka.withPropertyValues(
                "idempotency.journal.memory=1B", "idempotency.journal.forget-oldest-if-full=true");
        full.run(context -> {
            claimed(JournalStore.on(context.getBean(DataSource.class)), 1, "first");
            assertThatThrownBy(() -> claimed(context.getBean(JournalStore.class), 1, "first"))
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("idempotency.unjudged");
        });
        full.withPropertyValues("idempotency.unjudged=process").run(context -> {
            claimed(JournalStore.on(context.getBean(DataSource.class)), 1, "first");
            assertThat(claimed(context.getBean(JournalStore.class), 1, "first")).containsExactly(Status.GRANTED);
        });
    }

    @Test
    void refusesToTellTopicsByTheirIdsIfItCannotAskForThem() {
        Runners.refuses(
                withoutKafka.withPropertyValues("idempotency.journal.topic-ids=true"),
                Journal.class,
                "idempotency.journal.topic-ids",
                "KafkaAdmin");
    }

    @Test
    void canShareTheNameOfAStream() {
        withoutKafka
                .withPropertyValues("idempotency.journal.streams.orders=sales")
                .run(context -> {
                    assertThat(claimed(context.getBean(JournalStore.class), "orders", 1, "m"))
                            .containsExactly(Status.GRANTED);
                    assertThat(claimed(context.getBean(JournalStore.class), "sales", 2, "m"))
                            .containsExactly(Status.DUPLICATE);
                    assertThat(claimed(context.getBean(JournalStore.class), "others", 2, "m"))
                            .containsExactly(Status.GRANTED);
                });
    }

    @Test
    void warnsOfLongTopicsOnlyWhereTheirOldRecordsWouldBeProcessedAgain() {
        runner.withUserConfiguration(Journal.class)
                .run(context -> assertThat(rememberedFor(context)).isEmpty());
        runner.withUserConfiguration(Journal.class)
                .withPropertyValues("idempotency.unjudged=process")
                .run(context -> assertThat(rememberedFor(context)).contains(JournalStore.DEFAULT_RETENTION));
    }

    private static Optional<Duration> rememberedFor(AssertableApplicationContext context) {
        return new Stores(context.getBean(IdempotencyProperties.class), context)
                .rememberedFor(ListenerDefinition.of(
                        Journal.class,
                        Journal.class,
                        Journal.class.getDeclaredMethods()[0].getAnnotation(Idempotent.class)));
    }

    @Configuration(proxyBeanMethods = false)
    static class Registry {
        @Bean
        MeterRegistry registry() {
            return new SimpleMeterRegistry();
        }
    }

    @Test
    void hasGaugesOfItsMemoryOnceItIsInUse() {
        withoutKafka.withUserConfiguration(Registry.class).run(context -> {
            MeterRegistry registry = context.getBean(MeterRegistry.class);
            assertThat(registry.find(MeterNames.JOURNAL_MEMORY).gauge()).isNull();

            claimed(context.getBean(JournalStore.class), 1, "first", "second");

            assertThat(registry.get(MeterNames.JOURNAL_MESSAGES).gauge().value())
                    .isEqualTo(2);
            assertThat(registry.get(MeterNames.JOURNAL_MEMORY).gauge().value()).isGreaterThan(2 * 16);
        });
    }

    private static List<Status> claimed(JournalStore store, long offset, String... ids) {
        return claimed(store, "orders", offset, ids);
    }

    private static List<Status> claimed(JournalStore store, String topic, long offset, String... ids) {
        List<Delivery> deliveries = new ArrayList<>();
        for (String id : ids) {
            deliveries.add(new Delivery(new MessageId("billing", id), new Position(topic, 0, offset)));
        }
        List<Claim> claims = new ArrayList<>();
        store.prepare(deliveries);
        store.transactions().inTransaction(() -> claims.addAll(store.claim(deliveries)));
        return claims.stream().map(Claim::status).toList();
    }
}
