package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.ConsistencyLevel;
import io.idempotency.Consumption;
import io.idempotency.Outcome;
import io.idempotency.micrometer.MeterNames;
import io.idempotency.store.QuarantineStore;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaHandler;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;
import org.springframework.kafka.listener.BatchListenerFailedException;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.util.backoff.FixedBackOff;

/** In shadow mode listeners of every kind run as with spring-kafka alone, and what a real run would skip is reported. */
class ShadowListenerTest {

    enum Kind {
        RECORD,
        /** The same, and no shadow. */
        REAL,
        BATCH,
        FUTURE,
        MANUAL,
        HANDLERS
    }

    private static final ListenerBench bench = new ListenerBench()
            .withoutJpa()
            .with("idempotency.consumers.batch.shadow=true", "idempotency.consumers.handlers.shadow=true");
    private static final Function<Kind, BenchTopic> topics = bench.topics(Kind.class, "");

    @BeforeAll
    static void start() {
        bench.start(Application.class, Listeners.class, Manual.class, Handlers.class);
    }

    @AfterAll
    static void close() {
        bench.close();
    }

    @Configuration(proxyBeanMethods = false)
    static class Application {

        static final List<Object> RECOVERED = new CopyOnWriteArrayList<>();

        @Bean
        DefaultErrorHandler errors() {
            return new DefaultErrorHandler((record, failure) -> RECOVERED.add(record.value()), new FixedBackOff(0, 2));
        }

        @Bean
        MeterRegistry meters() {
            return new SimpleMeterRegistry();
        }
    }

    static class Listeners {

        static final List<String> IN_TRANSACTION = new CopyOnWriteArrayList<>();
        private final Effects.Ledger ledger;

        Listeners(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(id = "RECORD", groupId = "${topic}-RECORD", topics = "${topic}-RECORD")
        @Idempotent(value = "record", shadow = true)
        void record(String value) {
            if (TransactionSynchronizationManager.isActualTransactionActive()) {
                IN_TRANSACTION.add(value);
            }
            ledger.post(value);
        }

        @KafkaListener(id = "REAL", groupId = "${topic}-REAL", topics = "${topic}-REAL")
        @Idempotent("real")
        void real(String value) {
            ledger.post(value);
        }

        @KafkaListener(id = "BATCH", groupId = "${topic}-BATCH", topics = "${topic}-BATCH", batch = "true")
        @Idempotent("batch")
        void batch(List<String> values) {
            for (int i = 0; i < values.size(); i++) {
                try {
                    ledger.post(values.get(i));
                } catch (IllegalStateException e) {
                    throw new BatchListenerFailedException("named", e, i);
                }
            }
        }

        @KafkaListener(id = "FUTURE", groupId = "${topic}-FUTURE", topics = "${topic}-FUTURE")
        @Idempotent(value = "future", level = ConsistencyLevel.AT_LEAST_ONCE, shadow = true)
        CompletableFuture<Void> future(String value) {
            return CompletableFuture.runAsync(() -> ledger.post(value));
        }
    }

    /** As in most applications, nothing says that the acknowledgment is never null. */
    @NullUnmarked
    static class Manual {

        private final Effects.Ledger ledger;

        Manual(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(id = "MANUAL", groupId = "${topic}-MANUAL", topics = "${topic}-MANUAL", ackMode = "MANUAL")
        @Idempotent(value = "manual", shadow = true)
        void manual(String value, Acknowledgment ack) {
            ledger.post(value);
            if (ledger.callsOf(value) == 1 && value.endsWith("nacked")) {
                ack.nack(Duration.ofMillis(10));
            } else {
                ack.acknowledge();
            }
        }
    }

    @KafkaListener(id = "HANDLERS", groupId = "${topic}-HANDLERS", topics = "${topic}-HANDLERS")
    @Idempotent("handlers")
    static class Handlers {

        private final Effects.Ledger ledger;

        Handlers(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaHandler(isDefault = true)
        void any(String value) {
            ledger.post(value);
        }
    }

    private static List<Consumption> events(String consumer) {
        return bench.bean(Effects.Consumptions.class).all.stream()
                .filter(event -> event.delivery().id().consumer().equals(consumer))
                .toList();
    }

    private static List<Consumption> events(String consumer, Outcome outcome) {
        return events(consumer).stream()
                .filter(event -> event.outcome() == outcome)
                .toList();
    }

    private static void awaitEvents(String consumer, int count) {
        ListenerBench.await().until(() -> events(consumer).size() >= count);
    }

    private static void deliver(BenchTopic topic, String prefix) {
        topic.send(0, prefix + "-a", prefix + "-a");
        topic.send(0, prefix + "-b", prefix + "-b");
        topic.send(0, prefix + "-a", prefix + "-a");
        topic.send(1, prefix + "-c", prefix + "-c");
        topic.awaitSettled();
        topic.send(1, prefix + "-b", prefix + "-b");
        topic.awaitSettled();
        topic.redeliver();
        topic.awaitSettled();
    }

    private static List<String> duplicates(String consumer, Outcome outcome) {
        return events(consumer, outcome).stream()
                .map(event -> event.delivery().position().partition() + "@"
                        + event.delivery().position().offset() + " "
                        + event.duplicate().orElseThrow().kind() + " of "
                        + event.duplicate().orElseThrow().first().partition() + "@"
                        + event.duplicate().orElseThrow().first().offset())
                .sorted()
                .toList();
    }

    @Test
    @Tag("rule-5.14")
    @Tag("rule-8.14")
    void handlesAllAndReportsExactlyWhatARealRunSkips() {
        deliver(topics.apply(Kind.RECORD), "shadow");
        deliver(topics.apply(Kind.REAL), "real");
        awaitEvents("record", 10);

        assertThat(bench.effects("shadow-")).hasSize(10);
        assertThat(bench.effects("real-")).hasSize(3);
        assertThat(Listeners.IN_TRANSACTION).isEmpty();
        assertThat(duplicates("record", Outcome.WOULD_SKIP))
                .hasSize(7)
                .isEqualTo(duplicates("real", Outcome.DUPLICATE));
        MeterRegistry meters = bench.bean(MeterRegistry.class);
        assertThat(meters.get(MeterNames.CONSUMPTIONS)
                        .tags("consumer", "record", "outcome", "would_skip")
                        .timer()
                        .count())
                .isEqualTo(7);
        assertThat(meters.get(MeterNames.UNWATCHED)
                        .tag("consumer", "record")
                        .counter()
                        .count())
                .isZero();
    }

    @Test
    @Tag("rule-5.14")
    void theContainerKeepsItsErrorHandlerAndRetriesAndRecovers() {
        bench.ledger().fail("HANDLERS-poison", () -> new IllegalStateException("bad"));
        BenchTopic topic = topics.apply(Kind.HANDLERS);
        topic.send(0, "p", "HANDLERS-poison");
        topic.send(0, "good", "HANDLERS-good");
        topic.sendWithoutId(0, "HANDLERS-without");
        topic.awaitSettled();
        awaitEvents("handlers", 2);

        assertThat(bench.ledger().callsOf("HANDLERS-poison")).isEqualTo(3);
        assertThat(Application.RECOVERED).contains("HANDLERS-poison");
        assertThat(bench.bean(QuarantineStore.class).list("handlers", 10)).isEmpty();
        assertThat(events("handlers"))
                .extracting(Consumption::outcome)
                .containsExactly(Outcome.PROCESSED, Outcome.WOULD_REFUSE);
        assertThat(((AbstractMessageListenerContainer<?, ?>) topic.container()).getCommonErrorHandler())
                .isSameAs(bench.bean(DefaultErrorHandler.class));
    }

    @Test
    @Tag("rule-5.14")
    void aBatchIsHandedOverWithItsDuplicatesAndRecoveredWhereItsListenerSays() {
        bench.ledger().fail("BATCH-poison", () -> new IllegalStateException("bad"));
        BenchTopic topic = topics.apply(Kind.BATCH);
        topic.whileStopped(() -> topic.sendAll(0, "BATCH-a", "BATCH-a", "BATCH-poison", "BATCH-b"));
        topic.awaitSettled();
        awaitEvents("batch", 3);

        assertThat(bench.effects("BATCH-a")).hasSize(2);
        assertThat(bench.effects("BATCH-b")).hasSize(1);
        assertThat(Application.RECOVERED).contains("BATCH-poison");
        assertThat(events("batch"))
                .extracting(Consumption::outcome)
                .containsExactly(Outcome.PROCESSED, Outcome.WOULD_SKIP, Outcome.PROCESSED);
    }

    @Test
    @Tag("rule-5.14")
    void anAsynchronousResultCountsWhenItIsThere() {
        bench.ledger().fail("FUTURE-poison", 1, () -> new IllegalStateException("bad"));
        BenchTopic topic = topics.apply(Kind.FUTURE);
        topic.sendAll(0, "FUTURE-a", "FUTURE-poison", "FUTURE-a");
        ListenerBench.await().until(() -> bench.ledger().callsOf("FUTURE-poison") == 2);
        ListenerBench.await()
                .until(() -> events("future", Outcome.PROCESSED).size() == 2
                        && !events("future", Outcome.WOULD_SKIP).isEmpty());

        assertThat(events("future", Outcome.WOULD_SKIP))
                .extracting(event -> event.delivery().id().value())
                .containsOnly("FUTURE-a");
        assertThat(events("future", Outcome.PROCESSED))
                .extracting(event -> event.delivery().id().value())
                .containsExactlyInAnyOrder("FUTURE-a", "FUTURE-poison");
    }

    @Test
    @Tag("rule-5.14")
    void aNegativeAcknowledgmentIsNoEffect() {
        BenchTopic topic = topics.apply(Kind.MANUAL);
        topic.sendAll(0, "MANUAL-a", "MANUAL-nacked", "MANUAL-b");
        topic.awaitSettled();
        awaitEvents("manual", 3);

        assertThat(bench.ledger().callsOf("MANUAL-nacked")).isEqualTo(2);
        assertThat(events("manual")).extracting(Consumption::outcome).containsOnly(Outcome.PROCESSED);
    }
}
