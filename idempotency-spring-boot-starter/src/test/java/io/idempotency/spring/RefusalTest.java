package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.ConsistencyLevel;
import io.idempotency.TransactionPer;
import io.idempotency.memory.MemoryStore;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.context.PropertyPlaceholderAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.jdbc.datasource.lookup.AbstractRoutingDataSource;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.kafka.annotation.KafkaHandler;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.annotation.RetryableTopic;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.config.ContainerCustomizer;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.listener.MessageListener;
import org.springframework.kafka.listener.adapter.DefaultBatchToRecordAdapter;
import org.springframework.kafka.retrytopic.RetryTopicConfiguration;
import org.springframework.kafka.retrytopic.RetryTopicConfigurationBuilder;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.messaging.Message;
import org.springframework.scheduling.annotation.Async;
import org.springframework.transaction.annotation.Isolation;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** What would silently weaken the promise ends the start, and says what to change. */
class RefusalTest {

    private final ApplicationContextRunner runner = Runners.h2();

    private void refuses(Class<?> configuration, String... said) {
        refuses(runner, configuration, said);
    }

    private static void refuses(ApplicationContextRunner runner, Class<?> configuration, String... said) {
        Runners.refuses(runner, configuration, said);
    }

    static class Plain {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent("billing")
        void charge(String order) {}
    }

    @Test
    void startsWithAPlainListener() {
        runner.withUserConfiguration(Plain.class)
                .run(context -> assertThat(context).hasNotFailed());
    }

    @Test
    void refusesAutoCommit() {
        refuses(
                runner.withPropertyValues("spring.kafka.consumer.enable-auto-commit=true"),
                Plain.class,
                "enable.auto.commit=true",
                "enable-auto-commit");
    }

    @Retention(RetentionPolicy.RUNTIME)
    @KafkaListener(topics = "orders", groupId = "g")
    @Idempotent("billing")
    @interface Billing {}

    static class Composed {
        @Billing
        void charge(String order) {}
    }

    @Test
    void findsTheAnnotationOnOnesOwn() {
        refuses(
                runner.withPropertyValues("spring.kafka.consumer.enable-auto-commit=true"),
                Composed.class,
                "billing",
                "enable.auto.commit=true");
        runner.withUserConfiguration(Composed.class)
                .run(context -> assertThat(context).hasNotFailed());
    }

    static class RequiresNew {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent("billing")
        @Transactional(propagation = Propagation.REQUIRES_NEW)
        void charge(String order) {}
    }

    static class NotSupported {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent("billing")
        @Transactional(propagation = Propagation.NOT_SUPPORTED)
        void charge(String order) {}
    }

    static class Never {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent("billing")
        @Transactional(propagation = Propagation.NEVER)
        void charge(String order) {}
    }

    static class ReadOnly {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent("billing")
        @Transactional(readOnly = true)
        void charge(String order) {}
    }

    @Test
    void refusesATransactionalMethodThatLeavesTheTransactionOfItsClaim() {
        refuses(RequiresNew.class, "leaves the transaction", "REQUIRED");
        refuses(NotSupported.class, "leaves the transaction");
        refuses(Never.class, "leaves the transaction");
        refuses(ReadOnly.class, "readOnly");
    }

    static class Dirty {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent("billing")
        @Transactional(isolation = Isolation.READ_UNCOMMITTED)
        void charge(String order) {}
    }

    static class TimedPoll {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent(value = "billing", transactionPer = TransactionPer.POLL)
        @Transactional(timeout = 3)
        void charge(String order) {}
    }

    static class TimedInMemory {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent(value = "billing", store = "memory")
        @Transactional(timeout = 3)
        void charge(String order) {}
    }

    @KafkaListener(topics = "orders", groupId = "g")
    @Idempotent("billing")
    static class DifferentHandlers {
        @KafkaHandler
        @Transactional(isolation = Isolation.SERIALIZABLE)
        void charge(String order) {}

        @KafkaHandler
        void charge(Integer order) {}
    }

    @Test
    void refusesWhatTheTransactionOfTheClaimCannotBe() {
        refuses(Dirty.class, "READ_UNCOMMITTED", "READ COMMITTED");
        refuses(TimedPoll.class, "timeout", "transactionPer = RECORD");
        refuses(TimedInMemory.class, "isolation level or a timeout", "store");
        refuses(DifferentHandlers.class, "different", "same");
    }

    static class OtherManager {
        @Bean
        JdbcTransactionManager other() {
            return new JdbcTransactionManager(new DriverManagerDataSource("jdbc:h2:mem:other"));
        }

        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent("billing")
        @Transactional("other")
        void charge(String order) {}
    }

    /** {@code @Transactional} with a qualifier, on an annotation of the application's own. */
    @Target(ElementType.METHOD)
    @Retention(RetentionPolicy.RUNTIME)
    @Transactional("orders-db")
    @interface OrderTransaction {}

    @Configuration(proxyBeanMethods = false)
    static class QualifiedOwnManager {
        @Bean({"own", "ownAlias"})
        @Qualifier("orders-db")
        JdbcTransactionManager own(DataSource dataSource) {
            return new JdbcTransactionManager(dataSource);
        }

        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent("billing")
        @OrderTransaction
        void charge(String order) {}

        @KafkaListener(topics = "refunds", groupId = "g")
        @Idempotent("refunding")
        @Transactional("ownAlias")
        void refund(String order) {}
    }

    @Configuration(proxyBeanMethods = false)
    static class QualifiedOtherManager extends Plain {
        @Bean
        @Qualifier("orders-db")
        JdbcTransactionManager other() {
            return new JdbcTransactionManager(new DriverManagerDataSource("jdbc:h2:mem:other"));
        }

        @Bean
        JdbcTransactionManager own(DataSource dataSource) {
            return new JdbcTransactionManager(dataSource);
        }

        @KafkaListener(topics = "refunds", groupId = "g")
        @Idempotent("refunding")
        @OrderTransaction
        void refund(String order) {}
    }

    static class UnknownManager extends Plain {
        @KafkaListener(topics = "refunds", groupId = "g")
        @Idempotent("refunding")
        @Transactional("nope")
        void refund(String order) {}
    }

    @Test
    void findsTheManagerOfATransactionalMethodByQualifierAndAlias() {
        runner.withUserConfiguration(QualifiedOwnManager.class)
                .run(context -> assertThat(context).hasNotFailed());
        refuses(QualifiedOtherManager.class, "another transaction manager", "Name the right one");
        refuses(UnknownManager.class, "by \"nope\"", "Name the transaction manager of the idempotency tables");
    }

    static class OnlyOtherManager extends Plain {
        @Bean
        JdbcTransactionManager other() {
            return new JdbcTransactionManager(new DriverManagerDataSource("jdbc:h2:mem:other"));
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class TwoManagers extends OtherManager {
        @Bean
        JdbcTransactionManager own(DataSource dataSource) {
            return new JdbcTransactionManager(dataSource);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class TwoOwnManagers extends Plain {
        @Bean
        JdbcTransactionManager one(DataSource dataSource) {
            return new JdbcTransactionManager(dataSource);
        }

        @Bean
        JdbcTransactionManager two(DataSource dataSource) {
            return new JdbcTransactionManager(dataSource);
        }
    }

    @Test
    void refusesATransactionalMethodOfAnotherManager() {
        refuses(TwoManagers.class, "another transaction manager", "Name the right one");
    }

    @Test
    void refusesToChooseAManagerThatIsNotTheDataSources() {
        refuses(OnlyOtherManager.class, "No transaction manager manages the data source");
        refuses(
                runner.withPropertyValues("spring.kafka.producer.transaction-id-prefix=tx-"),
                Plain.class,
                "No transaction manager manages the data source",
                "transaction-id-prefix");
    }

    @Test
    void refusesAKafkaTransactionManagerThatIsChosen() {
        refuses(
                runner.withPropertyValues(
                        "spring.kafka.producer.transaction-id-prefix=tx-",
                        "idempotency.transaction-manager=kafkaTransactionManager"),
                KafkaTransaction.class,
                "The transaction manager kafkaTransactionManager, which idempotency.transaction-manager names, does not manage the"
                        + " data source of the idempotency tables. Those that do: own");
    }

    @Test
    void refusesAManagerThatIsNotThere() {
        refuses(
                runner.withPropertyValues("idempotency.transaction-manager=nope"),
                Plain.class,
                "No transaction manager is named nope, as idempotency.transaction-manager says. Those of the data source of the"
                        + " idempotency tables: transactionManager");
    }

    @Configuration(proxyBeanMethods = false)
    static class NameAndQualifier extends Plain {
        @Bean
        @Qualifier("beta")
        JdbcTransactionManager alpha(DataSource dataSource) {
            return new JdbcTransactionManager(dataSource);
        }

        @Bean
        JdbcTransactionManager beta(DataSource dataSource) {
            return new JdbcTransactionManager(dataSource);
        }
    }

    @Test
    void refusesANameThatTwoManagersHave() {
        refuses(
                runner.withPropertyValues("idempotency.transaction-manager=beta"),
                NameAndQualifier.class,
                "Several transaction managers have the name, alias or qualifier beta",
                "alpha");
    }

    @Test
    void saysWhichPropertyNamesAStoreThatIsNotThere() {
        refuses(
                runner.withPropertyValues("idempotency.store=tabel"),
                Plain.class,
                "The store tabel of",
                "idempotency.store");
        refuses(
                runner.withPropertyValues("idempotency.consumers.billing.store=dataSource"),
                Plain.class,
                "The store dataSource of",
                "idempotency.consumers.billing.store");
        refuses(
                runner.withPropertyValues("idempotency.store=memory", "idempotency.consumers.billing.store=table"),
                Plain.class,
                "is not there: idempotency.store is memory, so there are no tables");
    }

    static class Nameless {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent("${name:}")
        void charge(String order) {}
    }

    static class Misreferring {
        @KafkaListener(topics = "orders", groupId = "g", beanRef = "me")
        @Idempotent("billing-#{__listener.name}")
        void charge(String order) {}
    }

    static class Unresolved {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent("billing-${shop.name}")
        void charge(String order) {}
    }

    static class NamedByNull {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent("#{systemProperties['no.such.property']}")
        void charge(String order) {}
    }

    @Test
    @Tag("rule-2.12")
    void refusesANameThatCannotBeResolved() {
        refuses(NamedByNull.class, "has a name that cannot be resolved", "is null");
        refuses(
                Misreferring.class,
                "@Idempotent(\"billing-#{__listener.name}\")",
                "charge(java.lang.String)",
                "has a name that cannot be resolved",
                "'__listener' cannot be found",
                "beanRef");
        refuses(
                runner.withConfiguration(AutoConfigurations.of(PropertyPlaceholderAutoConfiguration.class)),
                Unresolved.class,
                "has a name that cannot be resolved",
                "shop.name");
    }

    @Test
    @Tag("rule-2.12")
    void refusesANameThatCannotBeOne() {
        refuses(Nameless.class, "charge", "1 to 100 characters", "such as @Idempotent(\"billing\")");
        refuses(runner.withPropertyValues("name=the bills"), Nameless.class, "the bills");
    }

    @Test
    void refusesToChooseBetweenTwoManagersUnlessOneIsNamed() {
        refuses(TwoOwnManagers.class, "Several transaction managers", "idempotency.transaction-manager");
        runner.withUserConfiguration(TwoOwnManagers.class)
                .withPropertyValues("idempotency.transaction-manager=two")
                .run(context -> assertThat(context).hasNotFailed());
    }

    @Configuration(proxyBeanMethods = false)
    static class ManagersByQualifierAndAlias extends Plain {
        @Bean
        @Qualifier("orders-db")
        JdbcTransactionManager one(DataSource dataSource) {
            return new JdbcTransactionManager(dataSource);
        }

        @Bean({"two", "refunds-db"})
        JdbcTransactionManager two(DataSource dataSource) {
            return new JdbcTransactionManager(dataSource);
        }
    }

    @Test
    void findsTheChosenManagerByQualifierAndAlias() {
        for (Map.Entry<String, String> chosen :
                Map.of("orders-db", "one", "refunds-db", "two", "two", "two").entrySet()) {
            runner.withUserConfiguration(ManagersByQualifierAndAlias.class)
                    .withPropertyValues("idempotency.transaction-manager=" + chosen.getKey())
                    .run(context -> {
                        assertThat(context).hasNotFailed();
                        assertThat(context.getBean(StoreTransactions.class).manager())
                                .isSameAs(context.getBean(chosen.getValue()));
                    });
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class KafkaTransaction extends Plain {
        @Bean
        JdbcTransactionManager own(DataSource dataSource) {
            return new JdbcTransactionManager(dataSource);
        }
    }

    @Test
    void refusesAContainerWithAKafkaTransaction() {
        refuses(
                runner.withPropertyValues("spring.kafka.producer.transaction-id-prefix=tx-"),
                KafkaTransaction.class,
                "Kafka transaction of its container",
                "outbox");
    }

    @Configuration(proxyBeanMethods = false)
    static class BothKinds {
        // tag::both[]
        @Bean
        JdbcTransactionManager transactionManager(DataSource dataSource) {
            return new JdbcTransactionManager(dataSource);
        }

        @Bean
        ConcurrentKafkaListenerContainerFactory<Object, Object> withoutKafkaTransaction(
                ConsumerFactory<Object, Object> consumers) {
            var factory = new ConcurrentKafkaListenerContainerFactory<Object, Object>();
            factory.setConsumerFactory(consumers);
            return factory;
        }
        // end::both[]
    }

    static class ListenersOfBothKinds {
        @KafkaListener(
                id = "both",
                topics = "orders",
                groupId = "g",
                autoStartup = "false",
                containerFactory = "withoutKafkaTransaction")
        @Idempotent("billing")
        void charge(String order) {}

        @KafkaListener(id = "transactional", topics = "orders", groupId = "h", autoStartup = "false")
        void forward(String order) {}
    }

    /** As introducing.md says. */
    @Test
    void takesAContainerWithoutAKafkaTransactionBesideOneThatHasIt() {
        runner.withPropertyValues("spring.kafka.producer.transaction-id-prefix=tx-")
                .withUserConfiguration(BothKinds.class, ListenersOfBothKinds.class)
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    KafkaListenerEndpointRegistry registry = context.getBean(KafkaListenerEndpointRegistry.class);
                    assertThat(List.of("both", "transactional"))
                            .satisfiesExactly(
                                    id -> assertThat(properties(registry, id).getKafkaAwareTransactionManager())
                                            .isNull(),
                                    id -> assertThat(properties(registry, id).getKafkaAwareTransactionManager())
                                            .isNotNull());
                });
    }

    private static ContainerProperties properties(KafkaListenerEndpointRegistry registry, String id) {
        return Objects.requireNonNull(registry.getListenerContainer(id)).getContainerProperties();
    }

    @Configuration(proxyBeanMethods = false)
    static class ContainerTransaction extends Plain {
        @Bean
        @SuppressWarnings({"removal", "deprecation"})
        ConcurrentKafkaListenerContainerFactory<Object, Object> kafkaListenerContainerFactory(
                ConsumerFactory<Object, Object> consumers, DataSource dataSource) {
            ConcurrentKafkaListenerContainerFactory<Object, Object> factory =
                    new ConcurrentKafkaListenerContainerFactory<>();
            factory.setConsumerFactory(consumers);
            factory.setAutoStartup(false);
            factory.getContainerProperties().setTransactionManager(new JdbcTransactionManager(dataSource));
            return factory;
        }
    }

    @Test
    void refusesAContainerWithADatabaseTransaction() {
        refuses(ContainerTransaction.class, "acknowledges before it commits");
    }

    static class Asynchronous {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent("billing")
        @Async
        void charge(String order) {}
    }

    static class Future {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent("billing")
        CompletableFuture<Void> charge(String order) {
            return CompletableFuture.completedFuture(null);
        }
    }

    static class Stage {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent("billing")
        CompletionStage<Void> charge(String order) {
            return CompletableFuture.completedFuture(null);
        }
    }

    @Test
    void refusesWorkThatGoesOnBehindTheTransaction() {
        refuses(Asynchronous.class, "@Async");
        refuses(Stage.class, "returns before its work is done", "AT_LEAST_ONCE");
        refuses(Future.class, "returns before its work is done", "AT_LEAST_ONCE");
    }

    static class Twice {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent("billing")
        void charge(String order) {}

        @KafkaListener(topics = "refunds", groupId = "g")
        @Idempotent("billing")
        void refund(String order) {}
    }

    @Test
    void refusesOneNameForTwoListeners() {
        refuses(Twice.class, "belongs to two listeners", "name of its own");
    }

    @Configuration(proxyBeanMethods = false)
    static class NoOffsetOnAssignment extends Plain {
        @Bean
        ContainerCustomizer<Object, Object, ConcurrentMessageListenerContainer<Object, Object>> customizer() {
            return container -> container
                    .getContainerProperties()
                    .setAssignmentCommitOption(ContainerProperties.AssignmentCommitOption.NEVER);
        }
    }

    @Test
    void refusesToBeginWithoutAnOffset() {
        refuses(
                runner.withPropertyValues("spring.kafka.consumer.auto-offset-reset=latest"),
                NoOffsetOnAssignment.class,
                "commits no offset when a partition is assigned");
        runner.withUserConfiguration(NoOffsetOnAssignment.class)
                .run(context -> assertThat(context).hasNotFailed());
    }

    @Test
    void refusesTablesThatAreNotThereWithTheirScript() {
        refuses(
                runner.withPropertyValues("idempotency.schema.mode=validate"),
                Plain.class,
                "create table if not exists idempotency_message",
                "idempotency.schema.mode");
    }

    static class UnknownStore {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent(value = "billing", store = "redis")
        void charge(String order) {}
    }

    @Test
    void refusesAStoreThatIsNotThere() {
        refuses(UnknownStore.class, "The store redis", "ClaimStore");
    }

    @Configuration(proxyBeanMethods = false)
    static class NowhereToPut {
        @KafkaListener(id = "orders", topics = "orders", groupId = "g")
        @Idempotent(value = "billing", store = "own")
        void charge(String order) {}

        @Bean
        MemoryStore own() {
            return MemoryStore.create();
        }

        @Bean
        DefaultErrorHandler errors(QuarantineRecoverer quarantine) {
            return new DefaultErrorHandler(quarantine);
        }
    }

    @Test
    @Tag("rule-5.17")
    void refusesAnErrorHandlerThatQuarantinesWhereThereIsNoQuarantine() {
        refuses(
                Runners.withoutDatabase(),
                NowhereToPut.class,
                "listener orders",
                "a failing record would stop its partition",
                "QuarantineStore");
    }

    static class Leased {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent(value = "billing", store = "journal", level = ConsistencyLevel.AT_LEAST_ONCE)
        void charge(String order) {}
    }

    @Test
    void refusesLeasesOfTheJournal() {
        refuses(
                Leased.class,
                "AT_LEAST_ONCE",
                "JournalStore",
                "does not support leases",
                "consumers.billing.store=table");
        runner.withUserConfiguration(Leased.class)
                .withPropertyValues("idempotency.consumers.billing.store=table")
                .run(context -> assertThat(context).hasNotFailed());
    }

    static class Journaled {
        @KafkaListener(topics = "orders", groupId = "g", properties = "max.poll.interval.ms=120000")
        @Idempotent(value = "billing", store = "journal")
        void charge(String order) {}
    }

    @Test
    @Tag("rule-5.9")
    void refusesToForgetWhatIsNotCommittedYet() {
        refuses(
                runner.withPropertyValues("idempotency.retention=4m"),
                Plain.class,
                "PT4M",
                "PT5M",
                "idempotency.retention");
        refuses(
                runner.withPropertyValues("idempotency.journal.retention=119s"),
                Journaled.class,
                "PT1M59S",
                "PT2M",
                "idempotency.journal.retention");
        runner.withUserConfiguration(Journaled.class)
                .withPropertyValues("idempotency.journal.retention=120s")
                .run(context -> assertThat(context).hasNotFailed());
    }

    static class Retrying {
        @KafkaListener(topics = "orders", groupId = "g")
        @RetryableTopic(autoCreateTopics = "false")
        @Idempotent(value = "billing", store = "journal")
        void charge(String order) {}
    }

    @Configuration(proxyBeanMethods = false)
    static class RetryingByConfiguration {
        @Bean
        static RetryTopicConfiguration retries(KafkaTemplate<Object, Object> template) {
            return RetryTopicConfigurationBuilder.newInstance()
                    .doNotAutoCreateRetryTopics()
                    .create(template);
        }

        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent(value = "billing", store = "journal")
        void charge(String order) {}
    }

    @Test
    void refusesRetryTopicsOnTheJournal() {
        refuses(
                Retrying.class,
                "retry topics",
                "only in the partition",
                "idempotency.journal.accept-missed-duplicates");
        refuses(RetryingByConfiguration.class, "retry topics");
        runner.withUserConfiguration(Retrying.class)
                .withPropertyValues("idempotency.journal.accept-missed-duplicates=true")
                .run(context -> assertThat(context).hasNotFailed());
    }

    static DataSource routing() {
        AbstractRoutingDataSource routing = new AbstractRoutingDataSource() {
            @Override
            protected Object determineCurrentLookupKey() {
                return "one";
            }
        };
        routing.setTargetDataSources(
                Map.of("one", new DriverManagerDataSource("jdbc:h2:mem:routed;DB_CLOSE_DELAY=-1")));
        routing.afterPropertiesSet();
        return routing;
    }

    static class Scoped {
        @Bean
        RecordScope scope() {
            return new RecordScope() {
                @Override
                public Object of(ConsumerRecord<?, ?> record) {
                    return "one";
                }

                @Override
                public Entered enter(Object scope) {
                    return () -> {};
                }
            };
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Routed extends Scoped {
        @Bean
        DataSource dataSource() {
            return routing();
        }

        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent("billing")
        void charge(String order) {}
    }

    @Test
    void refusesWhatCannotFollowATenantToAnotherDatabase() {
        refuses(
                runner.withPropertyValues("idempotency.consumers.billing.level=AT_LEAST_ONCE"),
                Routed.class,
                "leases",
                "STRONG");
        refuses(
                runner.withPropertyValues("idempotency.consumers.billing.store=journal"),
                Routed.class,
                "journals",
                "store=table");
        runner.withUserConfiguration(Routed.class)
                .run(context -> assertThat(context).hasNotFailed());
    }

    static class NoExpression {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent(value = "billing", messageId = "value.")
        void charge(String order) {}
    }

    static class NoBean {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent(value = "billing", messageId = "key != null ? key : @nobean.of(#root)")
        void charge(String order) {}
    }

    @Test
    void refusesAMessageIdThatIsNoExpression() {
        refuses(NoExpression.class, "is not a valid expression", "SpEL", "JSON pointer");
    }

    @Test
    void refusesAMessageIdOfABeanThatIsNotThere() {
        refuses(NoBean.class, "refers to @nobean, and no bean has this name");
        runner.withUserConfiguration(NoBean.class)
                .withBean("nobean", Object.class, Object::new)
                .run(context -> assertThat(context).hasNotFailed());
    }

    @KafkaListener(topics = "orders", groupId = "g")
    static class OnAHandler {
        @KafkaHandler
        @Idempotent("billing")
        void charge(String order) {}
    }

    static class OnNoListener {
        @Idempotent("billing")
        void charge(String order) {}
    }

    static class OnTwoListeners {
        @KafkaListener(topics = "orders", groupId = "g")
        @KafkaListener(topics = "returns", groupId = "g")
        @Idempotent("billing")
        void charge(String order) {}
    }

    @Idempotent("billing")
    static class OnNoListenersClass {
        void charge(String order) {}
    }

    @Test
    @Tag("rule-5.17")
    void refusesAnAnnotationThatHasNoEffect() {
        refuses(OnAHandler.class, "it is a @KafkaHandler", "on the class");
        refuses(OnNoListener.class, "is no @KafkaListener", "IdempotentConsumer");
        refuses(OnTwoListeners.class, "several @KafkaListener", "topics");
        refuses(OnNoListenersClass.class, "has no @KafkaListener", "listeners=<its id>");
    }

    static class Identified {
        @KafkaListener(id = "payments", topics = "orders", groupId = "g")
        void charge(String order) {}
    }

    @Test
    @Tag("rule-5.17")
    void refusesPropertiesThatHaveNoEffect() {
        refuses(
                runner.withPropertyValues("idempotency.consumers.biling.level=AT_LEAST_ONCE"),
                Plain.class,
                "idempotency.consumers.biling",
                "are [billing]");
        refuses(
                runner.withPropertyValues("idempotency.consumers.billing.listeners=paiments"),
                Identified.class,
                "names the listener paiments",
                "There are [payments]");
        refuses(
                runner.withPropertyValues(
                        "idempotency.consumers.billing.listeners=payments",
                        "idempotency.consumers.shipping.listeners=payments"),
                Identified.class,
                "bound to several consumers, billing and shipping");
        runner.withUserConfiguration(Plain.class)
                .withPropertyValues("idempotency.consumers.billing.enabled=false")
                .run(context -> assertThat(context).hasNotFailed());
    }

    static class AnnotatedAndBound {
        @KafkaListener(id = "payments", topics = "orders", groupId = "g")
        @Idempotent("billing")
        void charge(String order) {}
    }

    @Test
    @Tag("rule-2.11")
    void refusesTwoNamesForOneListener() {
        refuses(
                runner.withPropertyValues("idempotency.consumers.shipping.listeners=payments"),
                AnnotatedAndBound.class,
                "billing",
                "bound to consumer shipping",
                "the annotation or the property");
    }

    static class Charging {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent("billing")
        public void charge(String order) {}
    }

    @Configuration(proxyBeanMethods = false)
    static class TwoBeans {
        @Bean
        Charging one() {
            return new Charging();
        }

        @Bean
        Charging two() {
            return new Charging();
        }
    }

    static class ChargingOrders extends Charging {}

    static class ChargingRefunds extends Charging {}

    @Configuration(proxyBeanMethods = false)
    static class TwoSubclasses {
        @Bean
        ChargingOrders orders() {
            return new ChargingOrders();
        }

        @Bean
        ChargingRefunds refunds() {
            return new ChargingRefunds();
        }
    }

    @Test
    @Tag("rule-2.11")
    void refusesOneNameForTwoBeans() {
        refuses(TwoBeans.class, "belongs to two listeners", "of two beans of Charging", "#{__listener.name}");
        refuses(TwoSubclasses.class, "of a bean of ChargingOrders", "of a bean of ChargingRefunds");
    }

    @Configuration(proxyBeanMethods = false)
    static class AsyncAcks extends Plain {
        @Bean
        ContainerCustomizer<Object, Object, ConcurrentMessageListenerContainer<Object, Object>> customizer() {
            return container -> container.getContainerProperties().setAsyncAcks(true);
        }
    }

    static class Acknowledging {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent("billing")
        void charge(String order, Acknowledgment acknowledgment) {}

        @KafkaListener(topics = "refunds", groupId = "g")
        @Idempotent("refunds")
        void refund(Message<String> order) {}
    }

    @KafkaListener(topics = "orders", groupId = "g")
    @Idempotent("billing")
    static class OneAcknowledges {
        @KafkaHandler
        void charge(String order, Acknowledgment acknowledgment) {}

        @KafkaHandler
        void charge(Integer order) {}
    }

    @Test
    @Tag("rule-5.17")
    void refusesAcknowledgmentsThatNobodyGives() {
        refuses(AsyncAcks.class, "asyncAcks=true", "Leave asyncAcks out");
        ApplicationContextRunner manual = runner.withPropertyValues("spring.kafka.listener.ack-mode=manual");
        refuses(manual, Plain.class, "ack mode MANUAL", "takes no Acknowledgment", "Acknowledgment parameter");
        refuses(manual, OneAcknowledges.class, "takes no Acknowledgment");
        manual.withUserConfiguration(Acknowledging.class)
                .run(context -> assertThat(context).hasNotFailed());
    }

    static class TakesARecord {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent("billing")
        void charge(ConsumerRecord<String, String> order) {}
    }

    static class TakesRecords {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent("billing")
        void charge(List<ConsumerRecord<String, String>> orders) {}
    }

    @Test
    @Tag("rule-5.17")
    void refusesRecordsInAShapeThatTheContainerDoesNotGive() {
        ApplicationContextRunner batches = runner.withPropertyValues("spring.kafka.listener.type=batch");
        refuses(batches, TakesARecord.class, "takes one ConsumerRecord", "gives it batches", "List<ConsumerRecord");
        refuses(TakesRecords.class, "takes ConsumerRecords", "gives it single records", "batch = \"true\"");
        batches.withUserConfiguration(TakesRecords.class)
                .run(context -> assertThat(context).hasNotFailed());
        runner.withUserConfiguration(TakesARecord.class)
                .run(context -> assertThat(context).hasNotFailed());
    }

    static class Adapting {
        @Bean
        static BeanPostProcessor oneByOne() {
            return new BeanPostProcessor() {
                @Override
                @SuppressWarnings("unchecked")
                public Object postProcessAfterInitialization(Object bean, String name) {
                    if (bean instanceof ConcurrentKafkaListenerContainerFactory<?, ?> factory) {
                        ((ConcurrentKafkaListenerContainerFactory<Object, Object>) factory)
                                .setBatchToRecordAdapter(new DefaultBatchToRecordAdapter<>());
                    }
                    return bean;
                }
            };
        }
    }

    /** By its default, it logs what a record threw, and goes on with the next one. */
    @Test
    @Tag("rule-5.20")
    void refusesAnAdapterThatTakesRecordsOutOfABatchAndKeepsTheirFailures() {
        ApplicationContextRunner adapting =
                runner.withPropertyValues("spring.kafka.listener.type=batch").withUserConfiguration(Adapting.class);
        for (Class<?> listener : List.of(Plain.class, TakesARecord.class)) {
            refuses(
                    adapting,
                    listener,
                    "has a BatchToRecordAdapter",
                    "counts as processed",
                    "transactionPer = POLL",
                    "batch = \"false\"");
            adapting.withPropertyValues("idempotency.consumers.billing.level=NONE")
                    .withUserConfiguration(listener)
                    .run(context -> assertThat(context).hasNotFailed());
        }
        // The container of single records has no use for it.
        runner.withUserConfiguration(Adapting.class, TakesARecord.class)
                .run(context -> assertThat(context).hasNotFailed());
    }

    static class Pointing {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent(value = "billing", messageId = "/eventId")
        void charge(String order) {}
    }

    @Test
    void refusesAJsonPointerWithoutJackson() {
        refuses(
                runner.withClassLoader(new FilteredClassLoader("tools.jackson")),
                Pointing.class,
                "no Jackson",
                "tools.jackson.core:jackson-databind");
        runner.withUserConfiguration(Pointing.class)
                .run(context -> assertThat(context).hasNotFailed());
    }

    @Configuration(proxyBeanMethods = false)
    static class WithoutListener {
        @Bean
        ConcurrentMessageListenerContainer<Object, Object> container(
                ConsumerFactory<Object, Object> consumers, IdempotentContainers idempotent) {
            return idempotent.bind(
                    "billing", new ConcurrentMessageListenerContainer<>(consumers, new ContainerProperties("orders")));
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class BoundByAProgram {
        @Bean
        ConcurrentMessageListenerContainer<Object, Object> container(
                ConsumerFactory<Object, Object> consumers, IdempotentContainers idempotent) {
            ContainerProperties properties = new ContainerProperties("orders");
            properties.setGroupId("g");
            properties.setMessageListener((MessageListener<Object, Object>) record -> {});
            ConcurrentMessageListenerContainer<Object, Object> container =
                    new ConcurrentMessageListenerContainer<>(consumers, properties);
            container.setAutoStartup(false);
            return idempotent.bind("billing", container);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class BoundTwice extends BoundByAProgram {
        @Bean
        String again(ConcurrentMessageListenerContainer<Object, Object> container, IdempotentContainers idempotent) {
            return String.valueOf(idempotent.bind("shipping", container));
        }
    }

    @Test
    @Tag("rule-5.17")
    void refusesOfAContainerOfAProgramWhatItRefusesOfAnAnnotatedListener() {
        refuses(WithoutListener.class, "[orders] has no listener", "Set its message listener first");
        refuses(
                runner.withPropertyValues("spring.kafka.consumer.enable-auto-commit=true"),
                BoundByAProgram.class,
                "Listener [orders] of consumer billing",
                "enable.auto.commit=true");
        refuses(BoundTwice.class, "has a consumer already", "Bind it once");
        runner.withUserConfiguration(BoundByAProgram.class)
                .run(context -> assertThat(context).hasNotFailed());
    }
}
