package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.ConsistencyLevel;
import io.idempotency.Consumption;
import io.idempotency.Outcome;
import io.idempotency.store.MessageId;
import io.idempotency.store.QuarantineStore;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.util.backoff.FixedBackOff;

/**
 * Listeners with a transaction of their own swallow the failure of a statement. PostgreSQL has aborted their transaction then, and its commit rolls back. The
 * message does not count as processed.
 */
class SwallowedErrorsTest {

    enum Kind {
        LEASED,
        ONCE
    }

    private static final ListenerBench bench = new ListenerBench().withoutJpa();
    private static final Function<Kind, BenchTopic> topics = bench.topics(Kind.class, "");

    @BeforeAll
    static void start() {
        bench.start(Listeners.class);
    }

    @AfterAll
    static void close() {
        bench.close();
    }

    @Configuration(proxyBeanMethods = false)
    static class Listeners {

        private final Effects.Ledger ledger;
        private final JdbcTemplate jdbc;

        Listeners(Effects.Ledger ledger, JdbcTemplate jdbc) {
            this.ledger = ledger;
            this.jdbc = jdbc;
        }

        @Bean
        static DefaultErrorHandler errors(QuarantineRecoverer quarantine) {
            return new DefaultErrorHandler(quarantine, new FixedBackOff(0, 1));
        }

        @KafkaListener(id = "LEASED", groupId = "${topic}-LEASED", topics = "${topic}-LEASED")
        @Idempotent(value = "LEASED", level = ConsistencyLevel.AT_LEAST_ONCE)
        @Transactional
        public void leased(String value) {
            post(value);
        }

        @KafkaListener(id = "ONCE", groupId = "${topic}-ONCE", topics = "${topic}-ONCE")
        @Idempotent(value = "ONCE", level = ConsistencyLevel.AT_MOST_ONCE)
        @Transactional
        public void once(String value) {
            post(value);
        }

        private void post(String value) {
            ledger.post(value);
            try {
                jdbc.execute("select 1 / 0");
            } catch (DataAccessException swallowed) {
                ledger.threads.put(value, "swallowed");
            }
        }
    }

    @Tag("rule-1.18")
    @ParameterizedTest
    @EnumSource(Kind.class)
    void areFailuresOfTheMessage(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":swallowed";
        topic.send(0, value, value);
        topic.awaitSettled();

        assertThat(bench.ledger().threads).containsEntry(value, "swallowed");
        assertThat(bench.effects(value)).isEmpty();
        assertThat(bench.bean(Effects.Consumptions.class).all)
                .filteredOn(each -> each.delivery().id().equals(new MessageId(kind.name(), value)))
                .extracting(Consumption::outcome)
                .doesNotContain(Outcome.PROCESSED);
        assertThat(bench.bean(QuarantineStore.class)
                        .find(new MessageId(kind.name(), value))
                        .orElseThrow()
                        .message()
                        .failure()
                        .text())
                .contains("the listener swallowed the failure", "division by zero");
    }
}
