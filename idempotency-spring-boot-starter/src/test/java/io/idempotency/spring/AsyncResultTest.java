package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.ConsistencyLevel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.kafka.annotation.KafkaHandler;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.kafka.support.KafkaHeaders;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** A listener whose result comes later holds its lease, and its offset, until the result is there. */
class AsyncResultTest {

    enum Kind {
        FUTURE,
        /** spring-kafka does not see by this type that the result comes later. */
        STAGE,
        /** Nor by this one, which the starter does not refuse under {@code STRONG}. */
        OBJECT,
        MONO,
        HANDLERS,
        /** Takes an acknowledgment that it need not use, for spring-kafka acknowledges when the result is there. */
        ACKNOWLEDGMENT,
        /** Acknowledges itself, on the thread of its result. */
        ACKNOWLEDGED,
        MANUAL
    }

    private static final ListenerBench bench = new ListenerBench().withoutJpa();
    private static final Function<Kind, BenchTopic> topics = bench.topics(Kind.class, "");
    private static final Function<Kind, BenchTopic> deadLetters = bench.topics(Kind.class, "-dlt");

    private static final BenchTopic never = bench.topic("never");
    private static final BenchTopic neverDead = bench.topic("never-dlt");

    @BeforeAll
    static void start() {
        bench.start(Recovery.class, Listeners.class, Acknowledging.class, Handlers.class);
    }

    @AfterAll
    static void close() {
        bench.close();
    }

    static class Listeners {

        private final Effects.Ledger ledger;

        Listeners(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(id = "FUTURE", groupId = "${topic}-FUTURE", topics = "${topic}-FUTURE")
        @Idempotent(value = "future", level = ConsistencyLevel.AT_LEAST_ONCE)
        CompletableFuture<Void> future(String value) {
            return CompletableFuture.runAsync(() -> ledger.post(value));
        }

        @KafkaListener(
                id = "never",
                groupId = "${topic}-never",
                topics = "${topic}-never",
                properties = "max.poll.interval.ms=3000")
        @Idempotent(value = "never", level = ConsistencyLevel.AT_LEAST_ONCE)
        CompletableFuture<Void> never(String value) {
            return value.endsWith("never")
                    ? new CompletableFuture<>()
                    : CompletableFuture.runAsync(() -> ledger.post(value));
        }

        @KafkaListener(id = "STAGE", groupId = "${topic}-STAGE", topics = "${topic}-STAGE")
        @Idempotent(value = "stage", level = ConsistencyLevel.AT_LEAST_ONCE)
        CompletionStage<Void> stage(String value) {
            return CompletableFuture.runAsync(() -> ledger.post(value));
        }

        @KafkaListener(id = "OBJECT", groupId = "${topic}-OBJECT", topics = "${topic}-OBJECT")
        @Idempotent("object")
        @SuppressWarnings("FutureReturnValueIgnored")
        Object object(String value) {
            return CompletableFuture.runAsync(() -> ledger.post(value));
        }

        @KafkaListener(id = "MONO", groupId = "${topic}-MONO", topics = "${topic}-MONO")
        @Idempotent(value = "mono", level = ConsistencyLevel.AT_LEAST_ONCE)
        Mono<Void> mono(String value) {
            return Mono.<Void>fromRunnable(() -> ledger.post(value)).subscribeOn(Schedulers.boundedElastic());
        }
    }

    /** As in most applications, nothing says that the acknowledgment is never null: spring-kafka would make one up. */
    @NullUnmarked
    static class Acknowledging {

        private final Effects.Ledger ledger;

        Acknowledging(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(id = "ACKNOWLEDGMENT", groupId = "${topic}-ACKNOWLEDGMENT", topics = "${topic}-ACKNOWLEDGMENT")
        @Idempotent(value = "acknowledgment", level = ConsistencyLevel.AT_LEAST_ONCE)
        CompletableFuture<Void> acknowledgment(String value, Acknowledgment unused) {
            return CompletableFuture.runAsync(() -> ledger.post(value));
        }

        @KafkaListener(
                id = "ACKNOWLEDGED",
                groupId = "${topic}-ACKNOWLEDGED",
                topics = "${topic}-ACKNOWLEDGED",
                ackMode = "MANUAL_IMMEDIATE")
        @Idempotent(value = "acknowledged", level = ConsistencyLevel.AT_LEAST_ONCE)
        CompletableFuture<Void> acknowledged(String value, Acknowledgment acknowledgment) {
            return CompletableFuture.runAsync(() -> {
                ledger.post(value);
                acknowledgment.acknowledge();
            });
        }

        @KafkaListener(id = "MANUAL", groupId = "${topic}-MANUAL", topics = "${topic}-MANUAL", ackMode = "MANUAL")
        @Idempotent(value = "manual", level = ConsistencyLevel.AT_LEAST_ONCE)
        CompletableFuture<Void> manual(String value) {
            return CompletableFuture.runAsync(() -> ledger.post(value));
        }
    }

    @KafkaListener(id = "HANDLERS", groupId = "${topic}-HANDLERS", topics = "${topic}-HANDLERS")
    @Idempotent(value = "handlers", level = ConsistencyLevel.AT_LEAST_ONCE)
    static class Handlers {

        private final Effects.Ledger ledger;

        Handlers(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaHandler
        CompletableFuture<Void> text(String value) {
            return CompletableFuture.runAsync(() -> ledger.post(value));
        }

        @KafkaHandler(isDefault = true)
        void other(Object value) {
            throw new IllegalArgumentException();
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-5.16")
    void hasItsEffectOnceForCopiesAndLostOffsets(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":once:";
        topic.sendAll(0, value + 1, value + 2, value + 1);
        topic.awaitSettled();

        topic.redeliver();

        topic.awaitSettled();
        assertThat(bench.effects(value)).containsExactly(value + 1, value + 2);
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-5.16")
    void commitsNoOffsetOfAResultThatFailsAndCountsItExactly(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":bad:";
        bench.ledger().fail(value + 2, () -> new IllegalStateException("bad"));
        List<Long> overtaken = new CopyOnWriteArrayList<>();
        bench.bean(Recovery.Attempts.class).onFailure(record -> {
            try {
                if (topic.committed(record.partition()) > record.offset()) {
                    overtaken.add(record.offset());
                }
            } catch (ExecutionException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });

        topic.whileStopped(() -> topic.sendAll(0, value + 1, value + 2, value + 3));

        topic.awaitSettled();
        assertThat(bench.ledger().callsOf(value + 3)).isEqualTo(1);
        assertThat(bench.bean(Recovery.Attempts.class).of(value))
                .containsExactly(value + "2#1", value + "2#2", value + "2#3");
        assertThat(deadLetters.apply(kind).values()).containsExactly(value + 2);
        assertThat(overtaken).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void isRecordedOnlyWhenTheResultIsThere(Kind kind) throws Exception {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":held";
        CountDownLatch let = bench.ledger().hold(value);
        long offset = topic.send(0, value, value);
        ListenerBench.await().until(() -> bench.ledger().callsOf(value) == 1);

        topic.send(1, value, value);
        assertThat(topic.committed(0)).isLessThanOrEqualTo(offset);
        let.countDown();

        topic.awaitSettled();
        assertThat(bench.effects(value)).containsExactly(value);
    }

    @Test
    @Tag("rule-5.16")
    void isAFailureIfItDoesNotCome() {
        never.whileStopped(() -> never.sendAll(0, "never", "after"));

        never.awaitSettled();
        assertThat(bench.effects("after")).containsExactly("after");
        // A busy machine may need more than the hundred milliseconds that are left; then the broker delivers it again,
        // and it is sent again.
        assertThat(neverDead.read()).isNotEmpty().allSatisfy(dead -> {
            assertThat(dead.value()).isEqualTo("never");
            assertThat(BenchTopic.header(dead, KafkaHeaders.DLT_EXCEPTION_STACKTRACE))
                    .contains("did not come within 2700 ms", "orTimeout");
        });
    }

    @Test
    @Tag("rule-5.16")
    void hasNoNegativeAcknowledgment() {
        assertThatThrownBy(() -> RememberedAck.of(List.of("a"), true).nack(0, Duration.ZERO))
                .hasMessageContaining("a batch of 1 records")
                .hasMessageContaining("let the result fail");
    }
}
