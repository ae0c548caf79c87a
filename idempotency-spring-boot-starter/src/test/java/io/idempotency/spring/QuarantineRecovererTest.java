package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.store.MessageId;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantinedMessage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.util.backoff.FixedBackOff;

/** The container's error handler decides when a message has failed for good, and the recoverer puts it into quarantine. */
class QuarantineRecovererTest {

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

        @Bean
        static DefaultErrorHandler errors(QuarantineRecoverer quarantine) {
            return new DefaultErrorHandler(quarantine, new FixedBackOff(0, 2));
        }

        @KafkaListener(id = "BILLING", groupId = "${topic}-BILLING", topics = "${topic}-BILLING")
        @Idempotent("billing")
        void charge(String order) {
            ledger.post(order);
        }
    }

    @Test
    void keepsAMessageThatFailedForGoodAndSkipsItsCopies() {
        bench.start(Billing.class);
        bench.ledger().fail("poison", () -> new IllegalStateException("no such account"));
        topic.send(0, "a", "first");
        topic.send(0, "b", "poison");
        topic.send(0, "c", "third");
        topic.send(0, "b", "poison");
        topic.awaitSettled();

        assertThat(bench.effects("")).containsExactly("first", "third");
        assertThat(bench.ledger().calls).filteredOn("poison"::equals).hasSize(3);
        QuarantinedMessage kept = bench.bean(QuarantineStore.class)
                .find(new MessageId("billing", "b"))
                .orElseThrow();
        assertThat(kept.attempts()).isEqualTo(3);
        assertThat(kept.failure()).contains("no such account");
        assertThat(kept.delivery().position().offset()).isEqualTo(1);
    }

    @Test
    void keepsAMessageWithoutAnIdWithoutTryingIt() {
        bench.start(Billing.class);
        topic.send(0, " ", "no id");
        topic.send(0, "c", "third");
        topic.awaitSettled();

        assertThat(bench.effects("")).containsExactly("third");
        assertThat(bench.ledger().calls).containsExactly("third");
        assertThat(bench.bean(QuarantineStore.class).list("billing", 10))
                .singleElement()
                .satisfies(id -> assertThat(id.value()).matches("~none~" + topic.name + "-0@0~[0-9a-f]{16}"));
    }
}
