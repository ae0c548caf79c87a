package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.store.MessageId;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantinedMessage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.util.backoff.FixedBackOff;

/** A listener keeps the order of keys if the property says so. All messages of the topic have one key. */
class KeyOrderListenerTest {

    private final ListenerBench bench = new ListenerBench().withoutJpa();
    private final BenchTopic topic = bench.topic("BILLING");

    @AfterEach
    void close() {
        bench.close();
    }

    @Configuration(proxyBeanMethods = false)
    static class Billing {

        private final Effects.Ledger ledger;

        Billing(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(id = "BILLING", groupId = "${topic}-BILLING", topics = "${topic}-BILLING")
        @Idempotent("billing")
        void charge(String order) {
            ledger.post(order);
        }

        @Bean
        DefaultErrorHandler errors(QuarantineRecoverer quarantine) {
            return new DefaultErrorHandler(quarantine, new FixedBackOff(0, 1));
        }
    }

    @Test
    @Tag("rule-10.1")
    void laterRecordsOfAKeyFollowOneThatTheRecovererQuarantined() {
        bench.with("idempotency.quarantine.key-order=true").start(Billing.class);
        bench.ledger().fail("poison", () -> new IllegalStateException("no such account"));
        topic.send(0, "a", "first");
        topic.send(0, "b", "poison");
        topic.send(0, "c", "third");
        topic.send(1, "d", "elsewhere");
        topic.awaitSettled();

        assertThat(bench.effects("")).containsExactlyInAnyOrder("first", "elsewhere");
        assertThat(bench.ledger().calls).doesNotContain("third");
        assertThat(kept("b").isBehind()).isFalse();
        assertThat(kept("c").isBehind()).isTrue();
        assertThat(kept("c").keyHash()).isEqualTo(kept("b").keyHash()).isNotZero();
    }

    private QuarantinedMessage kept(String id) {
        return bench.bean(QuarantineStore.class)
                .find(new MessageId("billing", id))
                .orElseThrow()
                .message();
    }
}
