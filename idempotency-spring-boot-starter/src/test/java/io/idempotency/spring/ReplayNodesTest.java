package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.store.QuarantineStore;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.util.backoff.FixedBackOff;

/** Two applications of one group, on a real broker and a real PostgreSQL, carry out one replay. */
@ExtendWith(OutputCaptureExtension.class)
class ReplayNodesTest {

    private final ListenerBench bench =
            new ListenerBench().withoutJpa().with("spring.main.register-shutdown-hook=false");
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
            return new DefaultErrorHandler(quarantine, new FixedBackOff(0, 0));
        }

        @KafkaListener(id = "BILLING", groupId = "${topic}-BILLING", topics = "${topic}-BILLING")
        @Idempotent("billing")
        void charge(String order) {
            ledger.post(order);
        }
    }

    private void quarantine(List<String> orders) {
        orders.forEach(
                order -> bench.ledger().fail(order, () -> new IllegalStateException("no such account as " + order)));
        for (String order : orders) {
            topic.send(orders.indexOf(order) % 2, order, order);
        }
        topic.awaitSettled();
        assertThat(bench.bean(QuarantineStore.class).list("billing", 100)).hasSize(orders.size());
        orders.forEach(order -> bench.ledger().then(order, () -> {}));
    }

    private static List<String> orders(String prefix, int count) {
        return IntStream.range(0, count).mapToObj(i -> prefix + i).toList();
    }

    private void write(String replay) {
        bench.jdbc()
                .update(
                        "insert into idempotency_replay (id, consumer, per_second, actor, reason)"
                                + " select ?, id, 1000, 'anna', 'INC-42' from idempotency_name where name = 'billing'",
                        replay);
        bench.jdbc().update("update idempotency_quarantine set replay = ? where replay is null", replay);
    }

    private void awaitDone(String replay) {
        ListenerBench.await()
                .until(() -> "DONE"
                        .equals(bench.jdbc()
                                .queryForObject(
                                        "select status from idempotency_replay where id = ?", String.class, replay)));
    }

    @Test
    @Tag("rule-9.25")
    void eachEffectHappensOnceInOrderOfOffsets() {
        bench.with("idempotency.stand-still-after=0").start(Billing.class);
        List<String> orders = orders("order", 20);
        quarantine(orders);
        try (ConfigurableApplicationContext other = bench.builder(Billing.class).run()) {
            write("INC-42");
            awaitDone("INC-42");

            List<String> effects = bench.effects("order");
            assertThat(effects).containsExactlyInAnyOrderElementsOf(orders);
            for (int partition : new int[] {0, 1}) {
                List<String> expected = new ArrayList<>(orders);
                expected.removeIf(order -> orders.indexOf(order) % 2 != partition);
                assertThat(effects).filteredOn(expected::contains).isEqualTo(expected);
            }
            assertThat(bench.ledger().calls.size()
                            + other.getBean(Effects.Ledger.class).calls.size())
                    .isEqualTo(2 * orders.size());
            assertThat(bench.bean(QuarantineStore.class).list("billing", 100)).isEmpty();
        }
    }

    @Test
    @Tag("rule-9.24")
    void aNodeWhoseContainerIsStoppedLeavesTheReplayToTheOther(CapturedOutput output) {
        bench.start(Billing.class);
        List<String> orders = orders("order", 4);
        quarantine(orders);
        try (ConfigurableApplicationContext other = bench.builder(Billing.class).run()) {
            topic.stop();
            long before = bench.ledger().calls.size();

            write("INC-43");
            awaitDone("INC-43");

            assertThat(bench.ledger().calls).hasSize((int) before);
            ListenerBench.await()
                    .untilAsserted(() -> assertThat(output)
                            .contains(
                                    "Replay INC-43 of billing begins",
                                    "Replay INC-43 of billing is done: of 4 messages 4 processed")
                            .contains("Replay INC-43 of billing waits for another node"));
            assertThat(other.getBean(Effects.Ledger.class).calls).containsExactlyInAnyOrderElementsOf(orders);
        }
    }

    @Test
    @Tag("rule-9.24")
    void whoSwitchesReplaysOffCarriesOutNone() {
        bench.with("idempotency.replay.enabled=false").start(Billing.class);

        assertThat(bench.application().getBeansOfType(ListenerReplays.class)).isEmpty();
    }
}
