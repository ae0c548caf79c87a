package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.idempotency.ConsistencyLevel;
import io.idempotency.memory.MemoryQuarantine;
import io.idempotency.memory.MemoryStore;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.QuarantineStore;
import java.util.List;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.Consumer;
import org.hibernate.context.spi.CurrentTenantIdentifierResolver;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Primary;
import org.springframework.jdbc.datasource.LazyConnectionDataSourceProxy;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.kafka.annotation.KafkaHandler;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.annotation.TopicPartition;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.listener.KafkaListenerErrorHandler;
import org.springframework.messaging.handler.annotation.SendTo;

/** What may weaken the promise, and may be meant, is said once at start-up. */
@ExtendWith(OutputCaptureExtension.class)
class WarningTest {

    private final ApplicationContextRunner runner = Runners.h2();

    static class Plain {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent("billing")
        void charge(String order) {}
    }

    @Configuration(proxyBeanMethods = false)
    static class WithErrorHandler extends Plain {
        // tag::errors[]
        @Bean
        DefaultErrorHandler errors(QuarantineRecoverer quarantine) {
            return new DefaultErrorHandler(quarantine);
        }
        // end::errors[]
    }

    @Configuration(proxyBeanMethods = false)
    static class WithoutQuarantine extends Plain {
        @Bean
        ClaimStore ownStore() {
            return MemoryStore.create();
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Replying {
        @KafkaListener(topics = "orders", groupId = "g")
        @SendTo("replies")
        @Idempotent("billing")
        String charge(String order) {
            return order;
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Swallowing {
        @Bean
        static KafkaListenerErrorHandler swallow() {
            return (message, exception) -> "";
        }

        @KafkaListener(topics = "orders", groupId = "g", errorHandler = "swallow")
        @Idempotent("billing")
        void charge(String order) {}
    }

    @ParameterizedTest
    @ValueSource(classes = {WithErrorHandler.class, Plain.class})
    void saysNothingWhereNothingIsToBeSaid(Class<?> listener, CapturedOutput output) {
        runner.withUserConfiguration(listener)
                .run(context -> assertThat(output.toString().lines())
                        .filteredOn(line -> line.contains("WARN") || line.contains("idempot"))
                        .singleElement()
                        .asString()
                        .contains("INFO", "Listener charge(String) on [orders] is idempotent"));
    }

    @Configuration(proxyBeanMethods = false)
    static class Several extends WithErrorHandler {

        @KafkaListener(
                topics = {"new", "old"},
                groupId = "g",
                batch = "true")
        @Idempotent(value = "mails", store = "memory", messageId = "value.length")
        void send(List<String> texts, Consumer<?, ?> consumer) {}

        @KafkaListener(topicPattern = "some.*", groupId = "g")
        @Idempotent(value = "audit", level = ConsistencyLevel.NONE)
        void note(String text) {}

        @KafkaListener(topicPartitions = @TopicPartition(topic = "fixed", partitions = "1"), groupId = "g")
        @Idempotent("fixed")
        static class Handlers {
            @KafkaHandler
            void handle(String text) {}
        }
    }

    @Test
    void saysOfEachListenerHowItIsIdempotent(CapturedOutput output) {
        runner.withUserConfiguration(Several.class, Several.Handlers.class)
                .withPropertyValues("idempotency.consumers.fixed.level=at-most-once")
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    assertThat(output.toString().lines())
                            .filteredOn(line -> line.contains("is idempotent"))
                            .allMatch(line -> line.contains(" INFO "))
                            .extracting(line -> line.substring(line.indexOf("Listener ")))
                            .containsExactlyInAnyOrder(
                                    "Listener charge(String) on [orders] is idempotent: consumer billing, STRONG, table, a transaction per"
                                            + " record, ids from header message-id, remembered for 8d, quarantine in table"
                                            + " idempotency_quarantine",
                                    "Listener send(List, Consumer) on [new, old] is idempotent: consumer mails, STRONG, memory, a transaction"
                                            + " per poll, ids from value.length, quarantine in table idempotency_quarantine",
                                    "Listener note(String) on some.* is idempotent: consumer audit, NONE, ids from header message-id,"
                                            + " quarantine in table idempotency_quarantine",
                                    "Listener Handlers on [fixed-1] is idempotent: consumer fixed, AT_MOST_ONCE, table, ids from header"
                                            + " message-id, remembered for 8d, quarantine in table idempotency_quarantine");
                });
        runner.withUserConfiguration(WithErrorHandler.class)
                .withPropertyValues(
                        "idempotency.message-id.headers=id,key", "idempotency.message-id.missing=coordinates")
                .run(context -> assertThat(output)
                        .contains("ids from headers id, key; without one, its coordinates, remembered for 8d"));
    }

    @Test
    void warnsOnceOfRecordsThatAreDroppedWithoutAnErrorHandlerAndAQuarantine(CapturedOutput output) {
        runner.withUserConfiguration(WithoutQuarantine.class)
                .withPropertyValues("idempotency.store=ownStore")
                .run(context -> assertThat(output.toString().split("after ten failures a record is logged"))
                        .hasSize(2));
    }

    @Test
    void warnsOfAStoreInMemoryBesideADataSource(CapturedOutput output) {
        runner.withUserConfiguration(Plain.class)
                .withPropertyValues("idempotency.store=memory")
                .run(context -> assertThat(output)
                        .containsPattern("WARN.*charge.*store in memory beside a data source.*no transaction"));
    }

    @Test
    void warnsOfRepliesThatLeaveBeforeTheCommit(CapturedOutput output) {
        runner.withUserConfiguration(Replying.class)
                .run(context -> assertThat(output).contains("@SendTo", "outbox"));
    }

    @Test
    void warnsOfFailuresThatAreSwallowed(CapturedOutput output) {
        runner.withUserConfiguration(Swallowing.class).run(context -> {
            assertThat(context).hasNotFailed();
            assertThat(output).contains("error handler swallow", "counts as processed");
        });
    }

    @Configuration(proxyBeanMethods = false)
    static class TwoManagers extends WithErrorHandler {
        @Bean
        @Primary
        JdbcTransactionManager one(DataSource dataSource) {
            return new JdbcTransactionManager(dataSource);
        }

        @Bean
        JdbcTransactionManager two(DataSource dataSource) {
            return new JdbcTransactionManager(dataSource);
        }
    }

    @Test
    void warnsOfASecondTransactionManagerUnlessOneIsNamed(CapturedOutput output) {
        runner.withUserConfiguration(TwoManagers.class)
                .withPropertyValues("idempotency.transaction-manager=one")
                .run(context -> assertThat(output).doesNotContain("WARN"));
        runner.withUserConfiguration(TwoManagers.class)
                .run(context -> assertThat(output)
                        .containsOnlyOnce("Two transaction managers manage")
                        .contains("one", "two", "idempotency.transaction-manager=one"));
    }

    @Configuration(proxyBeanMethods = false)
    static class Routing extends WithErrorHandler {
        @Bean
        DataSource dataSource() {
            return new LazyConnectionDataSourceProxy(RefusalTest.routing());
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Resolving extends WithErrorHandler {
        @Bean
        CurrentTenantIdentifierResolver<String> tenants() {
            return new CurrentTenantIdentifierResolver<>() {
                @Override
                public String resolveCurrentTenantIdentifier() {
                    return "one";
                }

                @Override
                public boolean validateExistingCurrentSessions() {
                    return false;
                }
            };
        }
    }

    @Test
    void warnsOfTenantsThatAListenerWouldSetTooLate(CapturedOutput output) {
        for (Class<?> configuration : List.of(Routing.class, Resolving.class)) {
            runner.withUserConfiguration(configuration, RefusalTest.Scoped.class)
                    .run(context -> {
                        assertThat(context).hasNotFailed();
                        assertThat(output).doesNotContain("RecordScope");
                    });
        }
        runner.withUserConfiguration(Routing.class)
                .run(context -> assertThat(output).contains("a routing data source", "RecordScope"));
        runner.withUserConfiguration(Resolving.class)
                .run(context -> assertThat(output).contains("a tenant resolver of Hibernate's"));
    }

    @Test
    void warnsOfBeginningAtTheLatestOffset(CapturedOutput output) {
        runner.withUserConfiguration(Plain.class)
                .withPropertyValues("spring.kafka.consumer.auto-offset-reset=latest")
                .run(context -> assertThat(output).contains("begins at the latest offset"));
    }

    @Test
    void warnsOfTopicsThatKeepRecordsLongerThanIdsAreRemembered(CapturedOutput output) {
        TestServers.createTopic("orders");
        runner.withUserConfiguration(Plain.class)
                .withPropertyValues(
                        "spring.kafka.bootstrap-servers=" + TestServers.bootstrapServers(),
                        "spring.kafka.listener.auto-startup=true",
                        "idempotency.retention=1d")
                .run(context -> await().untilAsserted(
                                () -> assertThat(output).contains("Topic orders keeps its records for 168 h", "24 h")));
    }

    @Test
    void keyOrderWithoutReplays(CapturedOutput output) {
        runner.withUserConfiguration(Plain.class)
                .withPropertyValues("idempotency.quarantine.key-order=true", "idempotency.replay.enabled=false")
                .run(context -> assertThat(output)
                        .contains("carries out no replays: idempotency.replay.enabled=false. Messages that"));
    }

    @Configuration(proxyBeanMethods = false)
    static class OwnQuarantine extends Plain {
        @Bean
        MemoryStore ownMemory() {
            return MemoryStore.create();
        }

        @Bean
        QuarantineStore ownQuarantine(MemoryStore ownMemory) {
            return new MemoryQuarantine(ownMemory);
        }
    }

    @Test
    void keyOrderWithAQuarantineOfOnesOwnAndNoReplayStore(CapturedOutput output) {
        runner.withUserConfiguration(OwnQuarantine.class)
                .withPropertyValues("idempotency.quarantine.key-order=true")
                .run(context -> assertThat(output)
                        .contains("carries out no replays: there is no ReplayStore bean beside the QuarantineStore."));
    }

    @Test
    void saysNothingOfKeyOrderThatCanBeKept(CapturedOutput output) {
        runner.withUserConfiguration(Plain.class)
                .withPropertyValues("idempotency.quarantine.key-order=true")
                .run(context -> assertThat(output).doesNotContain("WARN"));
    }
}
