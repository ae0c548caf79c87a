package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.ConsistencyLevel;
import io.idempotency.Outcome;
import io.idempotency.TransactionPer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.kafka.annotation.BackOff;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.annotation.RetryableTopic;

/** The same duplicates for every kind of listener, on a real broker and a real database: the effect happens once. */
class DuplicatesTest {

    enum Kind {
        RECORD,
        BATCH,
        POLL,
        RETRYABLE,
        LEASED
    }

    private static final ListenerBench bench = new ListenerBench().withoutJpa();
    private static final Map<Kind, BenchTopic> topics =
            List.of(Kind.values()).stream().collect(Collectors.toMap(kind -> kind, kind -> bench.topic(kind.name())));

    @BeforeAll
    static void start() {
        bench.start(Listeners.class);
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

        @KafkaListener(id = "RECORD", groupId = "${topic}-RECORD", topics = "${topic}-RECORD", concurrency = "2")
        @Idempotent("record")
        void record(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "BATCH",
                groupId = "${topic}-BATCH",
                topics = "${topic}-BATCH",
                concurrency = "2",
                batch = "true")
        @Idempotent("batch")
        void batch(List<String> values) {
            values.forEach(ledger::post);
        }

        @KafkaListener(id = "POLL", groupId = "${topic}-POLL", topics = "${topic}-POLL", concurrency = "2")
        @Idempotent(value = "poll", transactionPer = TransactionPer.POLL)
        void poll(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "RETRYABLE",
                groupId = "${topic}-RETRYABLE",
                topics = "${topic}-RETRYABLE",
                concurrency = "2")
        @RetryableTopic(attempts = "2", backOff = @BackOff(0), numPartitions = "2")
        @Idempotent("retryable")
        void retryable(String value) {
            ledger.post(value);
        }

        @KafkaListener(id = "LEASED", groupId = "${topic}-LEASED", topics = "${topic}-LEASED", concurrency = "2")
        @Idempotent(value = "leased", level = ConsistencyLevel.AT_LEAST_ONCE)
        void leased(String value) {
            ledger.post(value);
        }
    }

    @ParameterizedTest
    @EnumSource
    void hasItsEffectOnceWhenOffsetsWereLost(Kind kind) {
        BenchTopic topic = topics.get(kind);
        String value = kind + ":lost:";
        topic.sendAll(0, value + 1, value + 2);
        topic.sendAll(1, value + 3);
        topic.awaitSettled();

        topic.redeliver();

        topic.awaitSettled();
        assertThat(bench.effects(value)).containsExactlyInAnyOrder(value + 1, value + 2, value + 3);
        assertThat(bench.ledger().calls)
                .filteredOn(call -> call.startsWith(value))
                .hasSize(3);
    }

    @ParameterizedTest
    @EnumSource
    void hasItsEffectOnceWhenTheProducerSentAgain(Kind kind) {
        BenchTopic topic = topics.get(kind);
        String value = kind + ":again:";
        topic.sendAll(0, value + 1, value + 2);
        topic.awaitSettled();

        topic.sendAll(0, value + 2, value + 3);
        topic.sendAll(1, value + 1);

        topic.awaitSettled();
        assertThat(bench.effects(value)).containsExactlyInAnyOrder(value + 1, value + 2, value + 3);
    }

    @ParameterizedTest
    @EnumSource
    void hasItsEffectOnceForCopiesInOnePoll(Kind kind) {
        BenchTopic topic = topics.get(kind);
        String value = kind + ":poll:";

        topic.whileStopped(() -> topic.sendAll(0, value + 1, value + 2, value + 1, value + 3, value + 2));

        topic.awaitSettled();
        assertThat(bench.effects(value)).containsExactly(value + 1, value + 2, value + 3);
    }

    @ParameterizedTest
    @EnumSource
    void hasItsEffectOnceForCopiesOnTwoPartitionsAtOneTime(Kind kind) {
        BenchTopic topic = topics.get(kind);
        String value = kind + ":both:";
        CountDownLatch let = bench.ledger().hold(value);
        topic.send(0, value, value);
        ListenerBench.await().until(() -> bench.ledger().callsOf(value) == 1);

        topic.send(1, value, value);
        if (kind == Kind.LEASED) {
            ListenerBench.await()
                    .until(() -> bench.bean(Effects.Consumptions.class).all.stream()
                            .anyMatch(consumption -> consumption.outcome() == Outcome.IN_PROGRESS));
        } else {
            bench.awaitBlockedStatement();
        }
        let.countDown();

        topic.awaitSettled();
        assertThat(bench.effects(value)).containsExactly(value);
        assertThat(bench.ledger().callsOf(value)).isEqualTo(1);
    }
}
