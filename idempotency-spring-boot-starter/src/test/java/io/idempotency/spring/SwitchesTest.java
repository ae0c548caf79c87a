package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.results.Steps;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.MessageId;
import io.idempotency.store.QuarantineStore;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.util.backoff.FixedBackOff;

/** Switched off, all at once or one by one, listeners are those of plain spring-kafka, and the log says what that means. */
@ExtendWith(OutputCaptureExtension.class)
class SwitchesTest {

    private final ListenerBench bench = new ListenerBench().withoutJpa();
    private final BenchTopic billing = bench.topic("BILLING");
    private final BenchTopic shipping = bench.topic("SHIPPING");

    @AfterEach
    void close() {
        bench.close();
    }

    @Configuration(proxyBeanMethods = false)
    static class Listeners {

        private final Effects.Ledger ledger;

        Listeners(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(id = "BILLING", groupId = "${topic}-BILLING", topics = "${topic}-BILLING")
        @Idempotent("billing")
        void charge(String order) {
            ledger.post(order);
        }

        @KafkaListener(id = "SHIPPING", groupId = "${topic}-SHIPPING", topics = "${topic}-SHIPPING", batch = "true")
        @Idempotent("shipping")
        void ship(List<String> orders) {
            orders.forEach(ledger::post);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Quarantining {

        @Bean
        DefaultErrorHandler errors(QuarantineRecoverer quarantine) {
            return new DefaultErrorHandler(quarantine, new FixedBackOff(0, 2));
        }
    }

    /** What an application has beside its listeners, to look into what was remembered. */
    @Configuration(proxyBeanMethods = false)
    static class Office {

        Office(ClaimStore store, QuarantineStore quarantine) {
            assertThat(store).isNotNull();
            assertThat(quarantine).isNotNull();
        }
    }

    private void failOnPoison() {
        bench.ledger().fail("poison", () -> new IllegalStateException("bad"));
    }

    private static void sendTwiceWithPoison(BenchTopic topic) {
        topic.send(0, "a", topic.kind);
        topic.awaitSettled();
        topic.send(0, "b", "poison");
        topic.awaitSettled();
        topic.send(0, "a", topic.kind);
        topic.awaitSettled();
    }

    @Test
    @Tag("rule-5.12")
    void withoutAnyOfItListenersAreThoseOfSpringKafkaAndNoTableIsTouched(CapturedOutput output) {
        bench.with("idempotency.enabled=false").start(Listeners.class, Quarantining.class, Office.class);
        failOnPoison();
        sendTwiceWithPoison(billing);
        sendTwiceWithPoison(shipping);

        assertThat(bench.effects("BILLING")).hasSize(2);
        assertThat(bench.effects("SHIPPING")).hasSize(2);
        assertThat(bench.jdbc().queryForList("select tablename from pg_tables where tablename like 'idempotency%'"))
                .isEmpty();
        assertThat(output)
                .containsOnlyOnce("idempotency.enabled=false")
                .containsPattern("WARN.*idempotency.enabled=false.*processed twice.*quarantine.*not remembered");
    }

    @Test
    @Tag("rule-5.12")
    void withoutAnyOfItStepsAreCalledAndNotRecorded(CapturedOutput output) {
        bench.with("idempotency.enabled=false").start(Listeners.class, Quarantining.class, Office.class);
        List<String> keys = new ArrayList<>();

        bench.bean(Steps.class).ofThread().once("charge", keys::add);
        bench.bean(Steps.class).ofThread().once("charge", keys::add);

        assertThat(keys).hasSize(2).doesNotHaveDuplicates();
        assertThat(output).containsOnlyOnce("its steps are not recorded");
    }

    @Test
    @Tag("rule-5.12")
    @SuppressWarnings("unchecked")
    void withoutAnErrorHandlerItStartsTooAndStampsIdsForOthers() {
        bench.with("idempotency.enabled=false").start(Listeners.class);
        KafkaTemplate<Object, Object> template = bench.bean(KafkaTemplate.class);
        template.send(billing.name, 0, "key", "sent").join();
        billing.awaitSettled();

        assertThat(bench.effects("")).containsExactly("sent");
        assertThat(BenchTopic.header(billing.read().get(0), "message-id")).isNotEmpty();
    }

    @Test
    @Tag("rule-5.12")
    void oneConsumerIsSwitchedOffAndTheOthersGoOn(CapturedOutput output) {
        bench.with("idempotency.consumers.billing.enabled=false").start(Listeners.class, Quarantining.class);
        failOnPoison();
        sendTwiceWithPoison(billing);
        sendTwiceWithPoison(shipping);

        assertThat(bench.effects("BILLING")).hasSize(2);
        assertThat(bench.effects("SHIPPING")).hasSize(1);
        assertThat(bench.bean(QuarantineStore.class).list("billing", 10)).isEmpty();
        assertThat(bench.bean(QuarantineStore.class).find(new MessageId("shipping", "b")))
                .isPresent();
        assertThat(output)
                .containsPattern(
                        "WARN.*idempotency.consumers.billing.enabled=false.*@Idempotent\\(\"billing\"\\).*processed twice"
                                + ".*quarantine.*not remembered")
                .doesNotContain("idempotency.consumers.shipping.enabled=false");
    }

    @Test
    @Tag("rule-5.12")
    void allConsumersMayBeSwitchedOffOneByOneWithoutAnErrorHandler() {
        bench.with("idempotency.consumers.billing.enabled=false", "idempotency.consumers.shipping.enabled=false")
                .start(Listeners.class);
        failOnPoison();
        sendTwiceWithPoison(billing);
        sendTwiceWithPoison(shipping);

        assertThat(bench.effects("BILLING")).hasSize(2);
        assertThat(bench.effects("SHIPPING")).hasSize(2);
    }
}
