package io.idempotency.spring;

import static io.idempotency.spring.ListenerBench.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.Outcome;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.boot.health.contributor.Status;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.ShareKafkaListenerContainerFactory;
import org.springframework.kafka.support.serializer.ErrorHandlingDeserializer;

/** What a listener of a share group could lose, on a real broker and a real PostgreSQL: failures that are hidden or come later, and threads that end. */
@Tag("rule-14.8")
class ShareListenerFailuresTest {

    /** A deserializer around one that hides its failures. */
    public static final class Hiding implements Deserializer<String> {

        private final ErrorHandlingDeserializer<String> inner =
                new ErrorHandlingDeserializer<>(new ShareListenerTest.Picky());

        @Override
        public String deserialize(String topic, byte[] data) {
            throw new UnsupportedOperationException();
        }

        @Override
        public @Nullable String deserialize(String topic, Headers headers, byte[] data) {
            return inner.deserialize(topic, headers, data);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Sharing extends ShareListenerTest.Sharing {

        @Bean
        static ShareKafkaListenerContainerFactory<String, String> hiding() {
            return factory(Hiding.class);
        }
    }

    static class Listener {

        private final Effects.Ledger ledger;

        Listener(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(
                id = "hidden",
                topics = "${topic}-hidden",
                groupId = "${topic}-hidden",
                containerFactory = "hiding")
        @Idempotent("hidden")
        void hidden(ConsumerRecord<String, String> record) {
            ledger.post("hidden" + record.value());
        }

        @KafkaListener(
                id = "later",
                topics = "${topic}-later",
                groupId = "${topic}-later",
                containerFactory = "sharing")
        @Idempotent("later")
        @SuppressWarnings("FutureReturnValueIgnored")
        Object later(String value) {
            return CompletableFuture.runAsync(() -> ledger.post(value));
        }

        @KafkaListener(
                id = "dying",
                topics = "${topic}-dying",
                groupId = "${topic}-dying",
                containerFactory = "sharing",
                concurrency = "2")
        @Idempotent("dying")
        void dying(String value) {
            ledger.post(value);
        }
    }

    private static final ListenerBench bench = new ListenerBench().withoutJpa();
    private static final BenchTopic hidden = bench.topic("hidden").shared();
    private static final BenchTopic later = bench.topic("later").shared();
    private static final BenchTopic dying = bench.topic("dying").shared();

    @BeforeAll
    static void start() {
        bench.start(Sharing.class, Listener.class);
    }

    @AfterAll
    static void close() {
        bench.close();
    }

    private static long count(String id, Outcome outcome) {
        return bench.bean(Effects.Consumptions.class).all.stream()
                .filter(seen -> seen.delivery().id().value().equals(id) && seen.outcome() == outcome)
                .count();
    }

    @Test
    void whatADeserializerInsideAnotherHidesIsNotHandled() {
        hidden.sendAll(0, "garbage hidden", "seen");

        await().until(() -> count("seen", Outcome.PROCESSED) == 1 && count("garbage hidden", Outcome.RELEASED) > 0);
        assertThat(bench.ledger().calls).contains("hiddenseen").doesNotContain("hiddennull");
        assertThat(count("garbage hidden", Outcome.PROCESSED)).isZero();
    }

    @Test
    void aFutureIsAwaited() {
        CountDownLatch open = bench.ledger().hold("patient");

        later.sendAll(0, "patient");

        await().until(() -> bench.ledger().callsOf("patient") == 1);
        assertThat(count("patient", Outcome.PROCESSED)).isZero();
        open.countDown();
        await().until(() -> count("patient", Outcome.PROCESSED) == 1);
        assertThat(bench.effects("patient")).containsExactly("patient");
    }

    @Test
    void aFutureThatFailsIsAFailure() {
        bench.ledger().fail("later ill", 2, () -> new IllegalStateException("Fails twice"));

        later.sendAll(0, "later ill");

        await().until(() -> count("later ill", Outcome.PROCESSED) == 1);
        assertThat(bench.ledger().callsOf("later ill")).isEqualTo(3);
        assertThat(count("later ill", Outcome.RELEASED)).isEqualTo(2);
    }

    @Test
    @Tag("rule-5.6")
    void healthIsDownAfterItsThreadsHaveEnded() {
        IdempotencyHealth health = bench.bean(IdempotencyHealth.class);
        bench.ledger().then("deadly", () -> {
            throw new OutOfMemoryError("as a test wants it");
        });

        dying.sendAll(0, "deadly");

        await().until(() -> health.health().getDetails().containsKey("listener dying"));
        assertThat(health.health().getStatus()).isEqualTo(Status.DOWN);
        assertThat(health.health().getDetails()).containsEntry("listener dying", "ended: ERROR");

        bench.ledger().then("deadly", () -> {});
        dying.stop();
        dying.start();
        await().until(() -> count("deadly", Outcome.PROCESSED) == 1);
        assertThat(health.health().getDetails()).doesNotContainKey("listener dying");
    }
}
