package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.ConsistencyLevel;
import io.idempotency.Consumption;
import io.idempotency.Outcome;
import io.idempotency.TransactionPer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.kafka.KafkaException;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.support.KafkaHeaders;

/** An output that the broker refuses after the listener has returned makes its message fail, and no other. */
class FailedOutputsTest {

    enum Kind {
        RECORD,
        POLL,
        BATCH,
        LEASE,
        ONCE
    }

    private static final int MAX_REQUEST_SIZE = 1 << 20;
    private static final ListenerBench bench = new ListenerBench().withoutJpa();
    private static final Function<Kind, BenchTopic> topics = bench.topics(Kind.class, "");
    private static final Function<Kind, BenchTopic> deadLetters = bench.topics(Kind.class, "-dlt");
    private static final Function<Kind, BenchTopic> outputs = bench.topics(Kind.class, "-out");
    /** Of small messages only, and no others, for Kafka splits a batch of several that is too large. */
    private static final BenchTopic small = bench.topic("small").configured("max.message.bytes", "1000");

    @BeforeAll
    static void start() {
        bench.start(Recovery.class, Listeners.class);
    }

    @AfterAll
    static void close() {
        bench.close();
    }

    static class Listeners {

        private final Effects.Ledger ledger;
        private final KafkaTemplate<Object, Object> template;

        Listeners(Effects.Ledger ledger, KafkaTemplate<Object, Object> template) {
            this.ledger = ledger;
            this.template = template;
        }

        @KafkaListener(id = "RECORD", groupId = "${topic}-RECORD", topics = "${topic}-RECORD")
        @Idempotent("record")
        void record(String value) {
            post(Kind.RECORD, value);
        }

        @KafkaListener(id = "POLL", groupId = "${topic}-POLL", topics = "${topic}-POLL")
        @Idempotent(value = "poll", transactionPer = TransactionPer.POLL)
        void poll(String value) {
            post(Kind.POLL, value);
        }

        @KafkaListener(id = "BATCH", groupId = "${topic}-BATCH", topics = "${topic}-BATCH", batch = "true")
        @Idempotent("batch")
        void batch(List<String> values) {
            values.forEach(value -> post(Kind.BATCH, value));
        }

        @KafkaListener(id = "LEASE", groupId = "${topic}-LEASE", topics = "${topic}-LEASE")
        @Idempotent(value = "lease", level = ConsistencyLevel.AT_LEAST_ONCE)
        void lease(String value) {
            post(Kind.LEASE, value);
        }

        @KafkaListener(id = "ONCE", groupId = "${topic}-ONCE", topics = "${topic}-ONCE")
        @Idempotent(value = "once", level = ConsistencyLevel.AT_MOST_ONCE)
        void once(String value) {
            post(Kind.ONCE, value);
        }

        private void post(Kind kind, String value) {
            ledger.post(value);
            if (value.endsWith("refused")) {
                try {
                    CompletableFuture<?> unused =
                            template.send(outputs.apply(kind).name, value + "!".repeat(MAX_REQUEST_SIZE));
                } catch (KafkaException e) {
                    CompletableFuture<?> unused = template.send(outputs.apply(kind).name, value + " instead");
                }
                return;
            }
            CompletableFuture<?> unused = value.endsWith("large")
                    ? template.send(small.name, value + "!".repeat(5_000))
                    : template.send(outputs.apply(kind).name, value);
        }
    }

    @ParameterizedTest
    @EnumSource(names = "ONCE", mode = EnumSource.Mode.EXCLUDE)
    @Tag("rule-6.6")
    void makeTheirMessageFailAlone(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":";

        topic.whileStopped(() -> topic.sendAll(0, value + 1, value + 2, value + "large", value + 3));

        topic.awaitSettled();
        assertThat(bench.bean(Recovery.Attempts.class).of(value))
                .containsExactly(value + "large#1", value + "large#2", value + "large#3");
        assertThat(deadLetters.apply(kind).read()).singleElement().satisfies(dead -> {
            assertThat(dead.value()).isEqualTo(value + "large");
            assertThat(BenchTopic.header(dead, "message-id")).isEqualTo(value + "large");
            assertThat(BenchTopic.header(dead, KafkaHeaders.DLT_EXCEPTION_STACKTRACE))
                    .contains(
                            "A message that the listener sent to " + small.name,
                            RecordTooLargeException.class.getName());
        });
        assertThat(outputs.apply(kind).values()).contains(value + 1, value + 2, value + 3);
        assertThat(bench.effects(value))
                .filteredOn(effect -> !effect.endsWith("large"))
                .containsExactly(value + 1, value + 2, value + 3);
        if (kind != Kind.LEASE) {
            assertThat(bench.effects(value + "large")).isEmpty();
        }
    }

    @Test
    @Tag("rule-6.6")
    void makeTheirMessageARecordedFailureAtMostOnce() {
        BenchTopic topic = topics.apply(Kind.ONCE);

        topic.sendAll(0, "ONCE:large", "ONCE:1");

        topic.awaitSettled();
        assertThat(bench.bean(Effects.Consumptions.class).all)
                .filteredOn(one -> one.delivery().id().consumer().equals("once"))
                .extracting(Consumption::outcome)
                .containsExactly(Outcome.QUARANTINED, Outcome.PROCESSED);
        assertThat(bench.ledger().callsOf("ONCE:large")).isEqualTo(1);
    }

    @Test
    void doNotMakeTheirMessageFailIfTheListenerWasToldAndSentSomethingElse() {
        BenchTopic topic = topics.apply(Kind.RECORD);

        topic.send(0, "told:refused", "told:refused");

        topic.awaitSettled();
        assertThat(bench.effects("told:")).containsExactly("told:refused");
        assertThat(bench.ledger().callsOf("told:refused")).isEqualTo(1);
        assertThat(outputs.apply(Kind.RECORD).values()).contains("told:refused instead");
    }
}
