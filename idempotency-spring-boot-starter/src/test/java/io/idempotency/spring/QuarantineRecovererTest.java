package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.store.MessageId;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantinedMessage;
import java.util.List;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
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

    private List<MessageId> quarantined() {
        return bench.bean(QuarantineStore.class).list("billing", 100);
    }

    private void awaitStandStill() {
        ListenerBench.await().until(() -> topic.container().isPartitionPaused(new TopicPartition(topic.name, 0)));
    }

    @Test
    @Tag("rule-1.6")
    void standsStillInsteadOfDrainingAndGoesOnWhenTheListenerIsMended() throws Exception {
        bench.start(Billing.class);
        String[] values = {"d1", "d2", "d3", "d4", "d5", "d6", "d7"};
        for (String value : values) {
            bench.ledger().fail(value, () -> new IllegalStateException("the other service is down"));
        }

        topic.sendAll(0, values);
        awaitStandStill();

        assertThat(quarantined()).hasSize(5);
        topic.send(1, "other", "other");
        ListenerBench.await().until(() -> bench.effects("other").size() == 1);
        assertThat(topic.committed(0)).isEqualTo(5);
        assertThat(bench.ledger().callsOf("d7")).isZero();
        bench.ledger().then("d6", () -> {});
        bench.ledger().then("d7", () -> {});
        topic.whileStopped(() -> {});
        topic.awaitSettled();
        assertThat(bench.effects("d")).containsExactly("d6", "d7");
    }

    @Test
    @Tag("rule-5.15")
    void standsStillWhereNoMessageHasAnId() throws Exception {
        bench.start(Billing.class);

        for (int i = 0; i < 7; i++) {
            topic.sendWithoutId(0, "without " + i);
        }
        awaitStandStill();

        assertThat(quarantined()).hasSize(5);
        assertThat(topic.committed(0)).isEqualTo(5);
    }

    @Test
    @Tag("rule-5.15")
    void goesOnBehindMessagesWithoutAnIdWhereOthersHaveOne() {
        bench.start(Billing.class);
        topic.send(1, "a", "good");
        topic.awaitSettled();

        for (int i = 0; i < 7; i++) {
            topic.sendWithoutId(0, "without " + i);
        }
        topic.send(0, "b", "behind");
        topic.awaitSettled();

        assertThat(quarantined()).hasSize(7);
        assertThat(bench.effects("")).containsExactly("good", "behind");
    }

    @Test
    @Tag("rule-5.15")
    void standsStillAtTheFirstMessageWhereTheExpressionIsWrong() throws Exception {
        bench.with("idempotency.consumers.billing.message-id=value.orderId").start(Billing.class);

        topic.send(0, "a", "first");
        awaitStandStill();

        assertThat(quarantined()).isEmpty();
        assertThat(topic.committed(0)).isZero();
        assertThat(bench.bean(Effects.Consumptions.class).all)
                .isNotEmpty()
                .allSatisfy(consumption -> assertThat(consumption.failure().orElseThrow())
                        .hasMessageContainingAll("orderId", "a java.lang.String", "JSON take a pointer", "#payload"));
    }

    @Test
    @Tag("rule-5.15")
    void quarantinesThemAllIfThatIsWanted() {
        bench.with("idempotency.consumers.billing.message-id=value.orderId", "idempotency.stand-still-after=0")
                .start(Billing.class);

        topic.sendAll(0, "1", "2", "3", "4", "5", "6", "7");
        topic.awaitSettled();

        assertThat(quarantined()).hasSize(7);
    }
}
