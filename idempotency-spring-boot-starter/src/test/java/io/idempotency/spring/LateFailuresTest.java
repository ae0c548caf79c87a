package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.Consumption;
import io.idempotency.Outcome;
import io.idempotency.TransactionPer;
import io.idempotency.store.MessageId;
import io.idempotency.store.QuarantineStore;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.event.TransactionPhase;
import org.springframework.transaction.event.TransactionalEventListener;
import org.springframework.util.backoff.FixedBackOff;

/** With JPA: after the listener, and before the commit, an event listener swallows the failure of a statement. */
class LateFailuresTest {

    enum Kind {
        RECORD,
        POLL
    }

    record Posted(String value) {}

    private static final ListenerBench bench = new ListenerBench();
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
        private final ApplicationEventPublisher events;

        Listeners(Effects.Ledger ledger, JdbcTemplate jdbc, ApplicationEventPublisher events) {
            this.ledger = ledger;
            this.jdbc = jdbc;
            this.events = events;
        }

        @Bean
        static DefaultErrorHandler errors(QuarantineRecoverer quarantine) {
            return new DefaultErrorHandler(quarantine, new FixedBackOff(0, 1));
        }

        @KafkaListener(id = "RECORD", groupId = "${topic}-RECORD", topics = "${topic}-RECORD")
        @Idempotent("RECORD")
        public void record(String value) {
            post(value);
        }

        @KafkaListener(id = "POLL", groupId = "${topic}-POLL", topics = "${topic}-POLL")
        @Idempotent(value = "POLL", transactionPer = TransactionPer.POLL)
        public void poll(String value) {
            post(value);
        }

        private void post(String value) {
            ledger.post(value);
            events.publishEvent(new Posted(value));
        }

        @TransactionalEventListener(phase = TransactionPhase.BEFORE_COMMIT)
        public void late(Posted event) {
            if (event.value().endsWith("bad")) {
                try {
                    jdbc.execute("select 1 / 0");
                } catch (DataAccessException swallowed) {
                    ledger.threads.put(event.value(), "swallowed");
                }
            }
        }
    }

    @Tag("rule-1.19")
    @ParameterizedTest
    @EnumSource(Kind.class)
    void areFailuresOfTheMessage(Kind kind) {
        assertThat(bench.bean(PlatformTransactionManager.class)).isInstanceOf(JpaTransactionManager.class);
        BenchTopic topic = topics.apply(kind);
        String good = kind + ":good";
        String bad = kind + ":bad";
        topic.send(0, good, good);
        topic.send(0, bad, bad);
        topic.awaitSettled();

        assertThat(bench.ledger().threads).containsEntry(bad, "swallowed");
        assertThat(bench.effects(good)).hasSize(1);
        assertThat(bench.effects(bad)).isEmpty();
        assertThat(bench.bean(Effects.Consumptions.class).all)
                .filteredOn(each -> each.delivery().id().equals(new MessageId(kind.name(), bad)))
                .extracting(Consumption::outcome)
                .doesNotContain(Outcome.PROCESSED);
        assertThat(bench.bean(QuarantineStore.class).find(new MessageId(kind.name(), bad)))
                .isPresent();
    }
}
