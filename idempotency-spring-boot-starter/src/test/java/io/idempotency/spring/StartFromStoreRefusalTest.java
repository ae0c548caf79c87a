package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.jdbc.JdbcOffsets;
import io.idempotency.memory.MemoryStore;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.annotation.TopicPartition;
import org.springframework.kafka.config.ContainerCustomizer;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;

/** Where a listener cannot start from the store, the start of the application ends, and says what to change. */
class StartFromStoreRefusalTest {

    private final ApplicationContextRunner runner =
            Runners.h2().withPropertyValues("idempotency.consumers.billing.start-from=store");

    static class Plain {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent("billing")
        void charge(String order) {}
    }

    @Test
    void startsWithAPlainListener() {
        runner.withUserConfiguration(Plain.class)
                .run(context -> assertThat(context).hasNotFailed().hasSingleBean(JdbcOffsets.class));
    }

    @ParameterizedTest
    @CsvSource({"shadow=true, watched in shadow mode", "level=none, level NONE", "store=memory, none of the starter's"})
    void refusesWhatSettlesNothingThere(String property, String why) {
        Runners.refuses(
                runner.withPropertyValues("idempotency.consumers.billing." + property),
                Plain.class,
                why,
                "idempotency.consumers.billing.start-from=store");
    }

    @Configuration(proxyBeanMethods = false)
    static class Routed {
        @Bean
        DataSource dataSource() {
            return RefusalTest.routing();
        }
    }

    @Test
    void refusesADataSourceThatRoutesToSeveralDatabases() {
        Runners.refuses(
                runner.withUserConfiguration(Routed.class), Plain.class, "its data source routes to several databases");
    }

    static class ByHand {
        @KafkaListener(
                groupId = "g",
                topicPartitions =
                        @TopicPartition(
                                topic = "orders",
                                partitions = {"0", "1"}))
        @Idempotent("billing")
        void charge(String order) {}
    }

    @Test
    void refusesPartitionsThatAreAssignedByHand() {
        Runners.refuses(runner, ByHand.class, "assigned by hand", "topicPattern");
    }

    @Configuration(proxyBeanMethods = false)
    static class Texts {
        @Bean
        ContainerCustomizer<Object, Object, ConcurrentMessageListenerContainer<Object, Object>> texts() {
            return container -> container
                    .getContainerProperties()
                    .setOffsetAndMetadataProvider((listener, offset) -> new OffsetAndMetadata(offset, "mine"));
        }
    }

    @Test
    void refusesATextOfTheApplicationBesideItsOffsets() {
        Runners.refuses(runner.withUserConfiguration(Texts.class), Plain.class, "OffsetAndMetadataProvider");
    }

    @Configuration(proxyBeanMethods = false)
    static class OwnStore {
        @Bean
        MemoryStore own() {
            return MemoryStore.create();
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class OwnOffsets {
        @Bean
        JdbcOffsets ownOffsets(DataSource dataSource) {
            return JdbcOffsets.on(dataSource);
        }
    }

    @Test
    void needsOffsetsBesideAStoreOfTheApplication() {
        ApplicationContextRunner own = runner.withUserConfiguration(OwnStore.class)
                .withPropertyValues("idempotency.consumers.billing.store=own");
        Runners.refuses(own, Plain.class, "own", "OffsetStore bean");
        own.withUserConfiguration(OwnOffsets.class, Plain.class)
                .run(context -> assertThat(context).hasNotFailed().hasSingleBean(JdbcOffsets.class));
    }

    @Test
    void refusesAnApplicationWithoutDatabase() {
        Runners.refuses(
                Runners.withoutDatabase().withPropertyValues("idempotency.consumers.billing.start-from=store"),
                Plain.class,
                "there is no data source");
    }
}
