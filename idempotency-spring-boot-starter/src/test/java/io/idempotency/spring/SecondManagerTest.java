package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.TransactionPer;
import jakarta.persistence.EntityManagerFactory;
import java.util.List;
import java.util.function.Function;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Primary;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/**
 * JPA and plain JDBC have a transaction manager each, on one data source. The one for JDBC does not know JPA's transactions: it would commit
 * the connection of the claim in the middle of the listener.
 */
@Tag("rule-1.14")
class SecondManagerTest {

    enum Kind {
        RECORD,
        POLL,
        BATCH
    }

    private static final ListenerBench bench = new ListenerBench();
    private static final Function<Kind, BenchTopic> topics = bench.topics(Kind.class, "");
    private static final Function<Kind, BenchTopic> deadLetters = bench.topics(Kind.class, "-dlt");

    @BeforeAll
    static void start() {
        bench.start(Recovery.class, Managers.class, Listeners.class);
    }

    @AfterAll
    static void close() {
        bench.close();
    }

    @Configuration(proxyBeanMethods = false)
    static class Managers {

        @Bean
        @Primary
        JpaTransactionManager transactionManager(EntityManagerFactory entities) {
            return new JpaTransactionManager(entities);
        }

        @Bean
        JdbcTransactionManager jdbcManager(DataSource dataSource) {
            return new JdbcTransactionManager(dataSource);
        }

        @Bean
        Service service(Effects.Ledger ledger) {
            return new Service(ledger);
        }
    }

    static class Service {

        private final Effects.Ledger ledger;

        Service(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @Transactional("jdbcManager")
        public void post(String value) {
            ledger.post(value);
        }

        /** In a JPA transaction of its own, which this may end as it likes. */
        @Transactional(propagation = Propagation.REQUIRES_NEW)
        public void apart(Runnable work) {
            work.run();
        }
    }

    static class Listeners {

        private final Effects.Ledger ledger;
        private final Service service;

        Listeners(Effects.Ledger ledger, Service service) {
            this.ledger = ledger;
            this.service = service;
        }

        @KafkaListener(id = "RECORD", groupId = "${topic}-RECORD", topics = "${topic}-RECORD")
        @Idempotent("record")
        public void record(String value) {
            handle(value);
        }

        @KafkaListener(id = "POLL", groupId = "${topic}-POLL", topics = "${topic}-POLL")
        @Idempotent(value = "poll", transactionPer = TransactionPer.POLL)
        public void poll(String value) {
            handle(value);
        }

        @KafkaListener(id = "BATCH", groupId = "${topic}-BATCH", topics = "${topic}-BATCH", batch = "true")
        @Idempotent("batch")
        public void batch(List<String> values) {
            values.forEach(this::handle);
        }

        private void handle(String value) {
            if (value.contains("mixed")) {
                service.post(value + " by the service");
            }
            if (value.contains("apart")) {
                service.apart(() -> service.post(value + " by the service"));
            }
            ledger.post(value);
        }
    }

    @ParameterizedTest
    @EnumSource
    void letsNoOtherManagerCommitTheConnectionOfTheClaim(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":";

        topic.whileStopped(() -> topic.sendAll(0, value + 1, value + "mixed", value + 2, value + "apart", value + 3));
        topic.awaitSettled();

        assertThat(bench.effects(value))
                .containsExactlyInAnyOrder(
                        value + 1, value + 2, value + "apart by the service", value + "apart", value + 3);
        assertThat(deadLetters.apply(kind).read()).singleElement().satisfies(record -> {
            assertThat(record.value()).isEqualTo(value + "mixed");
            assertThat(BenchTopic.header(record, "kafka_dlt-exception-stacktrace"))
                    .contains("jdbcManager", "idempotency.transaction-manager");
        });
    }
}
