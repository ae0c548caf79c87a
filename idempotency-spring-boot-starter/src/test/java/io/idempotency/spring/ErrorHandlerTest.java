package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.ConsistencyLevel;
import io.idempotency.TransactionPer;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.TransientStoreException;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.support.KafkaHeaders;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/** The container's error handler decides on every failure of a record, on nothing else, and counts exactly. */
class ErrorHandlerTest {

    enum Kind {
        RECORD,
        RECORD_ACK,
        REMAINING,
        POLL,
        POLL_REMAINING,
        BATCH,
        LEASED
    }

    private static final ListenerBench bench = new ListenerBench().withoutJpa().with("idempotency.claim-timeout=100ms");
    private static final Function<Kind, BenchTopic> topics = bench.topics(Kind.class, "");
    private static final Function<Kind, BenchTopic> deadLetters = bench.topics(Kind.class, "-dlt");

    @BeforeAll
    static void start() {
        bench.start(Recovery.class, Recovery.InMemory.class, Listeners.class);
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

        @KafkaListener(id = "RECORD", groupId = "${topic}-RECORD", topics = "${topic}-RECORD")
        @Idempotent("RECORD")
        void record(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "RECORD_ACK",
                groupId = "${topic}-RECORD_ACK",
                topics = "${topic}-RECORD_ACK",
                ackMode = "RECORD")
        @Idempotent("RECORD_ACK")
        void recordAck(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "REMAINING",
                groupId = "${topic}-REMAINING",
                topics = "${topic}-REMAINING",
                containerFactory = "remaining")
        @Idempotent("REMAINING")
        void remaining(String value) {
            ledger.post(value);
        }

        @KafkaListener(id = "POLL", groupId = "${topic}-POLL", topics = "${topic}-POLL")
        @Idempotent(value = "POLL", transactionPer = TransactionPer.POLL)
        void poll(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "POLL_REMAINING",
                groupId = "${topic}-POLL_REMAINING",
                topics = "${topic}-POLL_REMAINING",
                containerFactory = "remaining")
        @Idempotent(value = "POLL_REMAINING", transactionPer = TransactionPer.POLL)
        void pollRemaining(String value) {
            ledger.post(value);
        }

        @KafkaListener(id = "BATCH", groupId = "${topic}-BATCH", topics = "${topic}-BATCH", batch = "true")
        @Idempotent("BATCH")
        void batch(List<String> values) {
            values.forEach(ledger::post);
        }

        @KafkaListener(id = "LEASED", groupId = "${topic}-LEASED", topics = "${topic}-LEASED")
        @Idempotent(value = "LEASED", level = ConsistencyLevel.AT_LEAST_ONCE)
        void leased(String value) {
            ledger.post(value);
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-1.13")
    void recoversOnceWhatFailedAsOftenAsItAllowsAndLosesNothingBehind(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":poison:";
        List.of(2, 3, 6).forEach(bad -> bench.ledger().fail(value + bad, () -> new IllegalStateException("bad")));

        topic.whileStopped(() -> {
            topic.sendAll(0, value + 1, value + 2, value + 3, value + 4);
            topic.sendAll(1, value + 5, value + 6, value + 7);
        });

        topic.awaitSettled();
        if (kind != Kind.LEASED) {
            assertThat(bench.effects(value)).containsExactlyInAnyOrder(value + 1, value + 4, value + 5, value + 7);
        }
        assertThat(deadLetters.apply(kind).values())
                .filteredOn(dead -> dead.startsWith(value))
                .containsExactlyInAnyOrder(value + 2, value + 3, value + 6);
        assertThat(deadLetters.apply(kind).read())
                .filteredOn(dead -> dead.value().startsWith(value))
                .allSatisfy(dead -> {
                    assertThat(BenchTopic.header(dead, KafkaHeaders.DLT_EXCEPTION_CAUSE_FQCN))
                            .isEqualTo(IllegalStateException.class.getName());
                    assertThat(BenchTopic.header(dead, KafkaHeaders.DLT_EXCEPTION_MESSAGE))
                            .contains("bad");
                    assertThat(BenchTopic.header(dead, KafkaHeaders.DLT_ORIGINAL_CONSUMER_GROUP))
                            .isEqualTo(topic.name);
                });
        assertThat(bench.bean(Recovery.Attempts.class).of(value))
                .containsExactlyInAnyOrder(
                        value + "2#1",
                        value + "2#2",
                        value + "2#3",
                        value + "3#1",
                        value + "3#2",
                        value + "3#3",
                        value + "6#1",
                        value + "6#2",
                        value + "6#3");
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-7.5")
    void recoversWhateverWasThrownAndGoesOn(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":odd:";
        Map<String, Supplier<Throwable>> odd = Map.of(
                "cyclic", ErrorHandlerTest::cyclic,
                "silent", ErrorHandlerTest::silent,
                "deep", StackOverflowError::new,
                "error", () -> new AssertionError("bad"));
        odd.forEach((name, failure) -> bench.ledger().then(value + name, () -> {
            throw Failure.<RuntimeException>of(failure.get());
        }));

        topic.whileStopped(
                () -> odd.keySet().forEach(name -> topic.sendAll(0, value + name, value + name + "-behind")));

        topic.awaitSettled();
        assertThat(bench.effects(value))
                .contains(odd.keySet().stream()
                        .map(name -> value + name + "-behind")
                        .toArray(String[]::new));
        assertThat(deadLetters.apply(kind).values())
                .filteredOn(dead -> dead.startsWith(value))
                .containsExactlyInAnyOrder(
                        odd.keySet().stream().map(name -> value + name).toArray(String[]::new));
    }

    private static Throwable cyclic() {
        Exception one = new IllegalStateException("one");
        Exception other = new IllegalStateException("other", one);
        one.initCause(other);
        return one;
    }

    private static Throwable silent() {
        return new IllegalStateException("silent") {
            @Override
            public synchronized Throwable getCause() {
                throw new UnsupportedOperationException("no cause");
            }
        };
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-7.4")
    void goesOnPollingAfterAnInterruption(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":interrupted:";
        AtomicInteger calls = new AtomicInteger();
        bench.ledger().then(value + 1, () -> {
            if (calls.incrementAndGet() == 1) {
                throw Failure.<RuntimeException>of(new InterruptedException("by a queue"));
            }
        });

        topic.sendAll(0, value + 1, value + 2);

        topic.awaitSettled();
        assertThat(bench.effects(value)).contains(value + 1, value + 2);
    }

    @ParameterizedTest
    @EnumSource(names = {"POLL", "BATCH"})
    void countsOnAlthoughPollsOfOtherPartitionsAreHandledBetween(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":between:";
        AtomicInteger sent = new AtomicInteger();
        bench.ledger().fail(value + "bad", () -> new IllegalStateException("bad"));
        bench.bean(Recovery.Attempts.class).onFailure(record -> {
            // The next polls have something else first: what was sought back has to be fetched again.
            for (int i = 0; i < 12 && sent.get() < 60; i++) {
                topic.send(1, value + sent.get(), value + sent.getAndIncrement());
            }
        });

        topic.send(0, value + "bad", value + "bad");

        topic.awaitSettled();
        bench.bean(Recovery.Attempts.class).onFailure(record -> {});
        assertThat(bench.bean(Recovery.Attempts.class).of(value))
                .containsExactly(value + "bad#1", value + "bad#2", value + "bad#3");
        assertThat(bench.effects(value)).hasSize(sent.get());
    }

    @ParameterizedTest
    @EnumSource
    void countsNoTransientFailureAmongFailures(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":locked:";
        Iterator<RuntimeException> failures = List.<RuntimeException>of(
                        new IllegalStateException(),
                        new TransientStoreException("locked"),
                        new IllegalStateException(),
                        new TransientStoreException("locked"))
                .iterator();
        bench.ledger().then(value + 1, () -> {
            if (failures.hasNext()) {
                throw failures.next();
            }
        });

        topic.send(0, value + 1, value + 1);

        topic.awaitSettled();
        assertThat(bench.bean(Recovery.Attempts.class).of(value)).containsExactly(value + "1#1", value + "1#2");
        assertThat(deadLetters.apply(kind).values())
                .filteredOn(dead -> dead.startsWith(value))
                .isEmpty();
        assertThat(bench.effects(value)).endsWith(value + 1);
    }

    @ParameterizedTest
    @EnumSource
    void waitsForAnotherTransactionWithoutCounting(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":waits:";
        MessageId id = new MessageId(kind.name(), value + 1);
        TransactionTemplate other = new TransactionTemplate(bench.bean(PlatformTransactionManager.class));
        other.executeWithoutResult(status -> {
            bench.bean(ClaimStore.class).claim(List.of(new Delivery(id, Position.UNKNOWN)));
            topic.sendAll(0, value + 1, value + 2);
            ListenerBench.await()
                    .until(() -> bench.bean(Effects.Consumptions.class).all.stream()
                                    .filter(one -> one.isTransient()
                                            && one.delivery().id().equals(id))
                                    .count()
                            > 1);
            status.setRollbackOnly();
        });

        topic.awaitSettled();
        assertThat(bench.effects(value)).containsExactly(value + 1, value + 2);
        assertThat(bench.bean(Recovery.Attempts.class).of(value)).isEmpty();
    }
}
