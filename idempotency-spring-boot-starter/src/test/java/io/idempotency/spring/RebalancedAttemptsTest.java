package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.store.MessageId;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineStore;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.common.GroupState;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.util.backoff.FixedBackOff;

/** Two applications of one group: the second one joins while the first one tries a message again and again. */
class RebalancedAttemptsTest {

    private static final int ATTEMPTS = 10;
    private static final int BEFORE = 4;
    private static final Duration START = Duration.ofMinutes(2);

    private final ListenerBench bench = new ListenerBench()
            .withoutJpa()
            .with(
                    "spring.main.register-shutdown-hook=false",
                    "spring.kafka.consumer.heartbeat-interval=100ms",
                    "spring.kafka.consumer.properties[partition.assignment.strategy]="
                            + "org.apache.kafka.clients.consumer.RangeAssignor");
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
        static Recovery.Attempts attempts() {
            return new Recovery.Attempts();
        }

        @Bean
        static DefaultErrorHandler errors(QuarantineRecoverer quarantine, Recovery.Attempts attempts) {
            DefaultErrorHandler handler = new DefaultErrorHandler(quarantine, new FixedBackOff(200, ATTEMPTS - 1));
            handler.setRetryListeners(attempts);
            return handler;
        }

        @KafkaListener(id = "BILLING", groupId = "${topic}-BILLING", topics = "${topic}-BILLING")
        @Idempotent("billing")
        void charge(String order) {
            ledger.post(order);
        }
    }

    private boolean isRebalancing() {
        try {
            return Objects.requireNonNull(bench.admin
                                    .describeConsumerGroups(List.of(topic.name))
                                    .describedGroups()
                                    .get(topic.name))
                            .get()
                            .groupState()
                    == GroupState.PREPARING_REBALANCE;
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The first application keeps the partition: it is revoked, and comes back. */
    @Test
    @Tag("rule-7.13")
    void theQuarantineTellsAllAttemptsOfTheProcessAlthoughItsPartitionWasRevokedMeanwhile() {
        bench.with("spring.kafka.consumer.properties[group.instance.id]=a").start(Billing.class);
        bench.ledger().fail("poison", () -> new IllegalStateException("no such account"));
        bench.bean(Recovery.Attempts.class).onFailure(record -> {
            if (bench.ledger().callsOf("poison") == BEFORE) {
                // Until the other application is there.
                ListenerBench.await().atMost(START).until(this::isRebalancing);
            }
        });
        topic.send(0, "poison", "poison");
        ListenerBench.await().until(() -> bench.ledger().callsOf("poison") == BEFORE);

        try (ConfigurableApplicationContext other = bench.with("spring.kafka.consumer.properties[group.instance.id]=b")
                .builder(Billing.class)
                .run()) {
            QuarantineStore quarantine = bench.bean(QuarantineStore.class);
            MessageId id = new MessageId("billing", "poison");
            ListenerBench.await().until(() -> quarantine.find(id).isPresent());

            QuarantineEntry entry = quarantine.find(id).orElseThrow();
            assertThat(bench.ledger().callsOf("poison")).isEqualTo(ATTEMPTS);
            assertThat(entry.message().attempts()).isEqualTo(ATTEMPTS);
            assertThat(other.getBean(Effects.Ledger.class).calls).isEmpty();
        }
    }
}
