package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.listener.BatchListenerFailedException;
import org.springframework.kafka.support.KafkaHeaders;

/** Batch listeners of every shape: what they are given, and what becomes of what they throw. */
class BatchListenerTest {

    enum Kind {
        PAYLOADS,
        RECORDS,
        POLLED
    }

    private static final ListenerBench bench = new ListenerBench().withoutJpa();
    private static final Function<Kind, BenchTopic> topics = bench.topics(Kind.class, "");
    private static final Function<Kind, BenchTopic> deadLetters = bench.topics(Kind.class, "-dlt");

    @BeforeAll
    static void start() {
        bench.start(Recovery.class, Listeners.class);
    }

    @AfterAll
    static void close() {
        bench.close();
    }

    static class Listeners {

        private final List<List<String>> batches = new CopyOnWriteArrayList<>();
        private final Effects.Ledger ledger;

        Listeners(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(id = "PAYLOADS", groupId = "${topic}-PAYLOADS", topics = "${topic}-PAYLOADS", batch = "true")
        @Idempotent("payloads")
        void payloads(List<String> values) {
            post(values, List.of());
        }

        @KafkaListener(id = "RECORDS", groupId = "${topic}-RECORDS", topics = "${topic}-RECORDS", batch = "true")
        @Idempotent("records")
        void records(List<ConsumerRecord<String, String>> records) {
            post(records.stream().map(ConsumerRecord::value).toList(), records);
        }

        @KafkaListener(id = "POLLED", groupId = "${topic}-POLLED", topics = "${topic}-POLLED", batch = "true")
        @Idempotent("polled")
        void polled(ConsumerRecords<String, String> polled) {
            List<ConsumerRecord<String, String>> records = new ArrayList<>();
            polled.forEach(records::add);
            post(records.stream().map(ConsumerRecord::value).toList(), records);
        }

        /** Names what failed, where its value asks for it: by its index, or by its record. */
        private void post(List<String> values, List<ConsumerRecord<String, String>> records) {
            batches.add(values);
            for (int i = 0; i < values.size(); i++) {
                String value = values.get(i);
                try {
                    ledger.post(value);
                } catch (IllegalStateException | ClassCastException e) {
                    if (value.endsWith("named")) {
                        throw records.isEmpty()
                                ? new BatchListenerFailedException(value, e, i)
                                : new BatchListenerFailedException(value, e, records.get(i));
                    }
                    if (value.endsWith("numbered")) {
                        throw new BatchListenerFailedException(value, i);
                    }
                    throw e;
                }
            }
        }
    }

    private static List<List<String>> batches(String prefix) {
        return bench.bean(Listeners.class).batches.stream()
                .filter(batch -> batch.get(0).startsWith(prefix))
                .toList();
    }

    @ParameterizedTest
    @EnumSource
    void isGivenWhatIsNoDuplicate(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":new:";
        topic.sendAll(0, value + 1, value + 2);
        topic.awaitSettled();

        topic.whileStopped(() -> topic.sendAll(0, value + 1, value + 3, value + 2, value + 4, value + 3));

        topic.awaitSettled();
        assertThat(batches(value)).contains(List.of(value + 3, value + 4));
        assertThat(bench.effects(value)).containsExactly(value + 1, value + 2, value + 3, value + 4);
    }

    @ParameterizedTest
    @EnumSource
    void isNotCalledForAPollOfDuplicates(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":none:";
        topic.sendAll(0, value + 1, value + 2);
        topic.awaitSettled();
        int before = bench.bean(Listeners.class).batches.size();

        topic.sendAll(0, value + 1, value + 2);

        topic.awaitSettled();
        assertThat(bench.bean(Listeners.class).batches).hasSize(before);
    }

    @ParameterizedTest
    @EnumSource
    void losesOnlyTheRecordItNamesAfterDuplicatesWereTakenOut(Kind kind) {
        recoversOnlyTheOneThatFails(kind, kind + ":name:", "named");
    }

    @ParameterizedTest
    @EnumSource
    void losesOnlyTheIndexItNamesAfterDuplicatesWereTakenOut(Kind kind) {
        recoversOnlyTheOneThatFails(kind, kind + ":number:", "numbered");
    }

    @ParameterizedTest
    @EnumSource
    void losesOnlyThePoisonousRecordWhenItDoesNotSayWhich(Kind kind) {
        recoversOnlyTheOneThatFails(kind, kind + ":plain:", "poison");
    }

    @ParameterizedTest
    @EnumSource
    @Tag("rule-1.11")
    void isNotCalledOnceMoreForARecordThatItNamedAndThatIsNotToBeRetried(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":fatal:";
        bench.ledger().fail(value + "named", () -> new ClassCastException("no order"));

        topic.whileStopped(() -> {
            topic.sendAll(0, value + 1, value + "named", value + 2);
            topic.sendAll(1, value + 3);
        });

        topic.awaitSettled();
        assertThat(bench.ledger().callsOf(value + "named")).isEqualTo(1);
        assertThat(bench.effects(value)).containsExactlyInAnyOrder(value + 1, value + 2, value + 3);
        assertThat(deadLetters.apply(kind).read())
                .filteredOn(dead -> dead.value().startsWith(value))
                .singleElement()
                .satisfies(dead -> {
                    assertThat(BenchTopic.header(dead, KafkaHeaders.DLT_EXCEPTION_CAUSE_FQCN))
                            .isEqualTo(ClassCastException.class.getName());
                    assertThat(BenchTopic.header(dead, KafkaHeaders.DLT_EXCEPTION_MESSAGE))
                            .contains("The listener failed with java.lang.ClassCastException: no order at " + topic.name
                                    + "-0@");
                });
    }

    private static void recoversOnlyTheOneThatFails(Kind kind, String value, String bad) {
        BenchTopic topic = topics.apply(kind);
        topic.sendAll(0, value + 1, value + 2);
        topic.awaitSettled();
        bench.ledger().fail(value + bad, () -> new IllegalStateException(bad));

        topic.whileStopped(() -> {
            topic.sendAll(0, value + 2, value + 3, value + 1, value + bad, value + 4);
            topic.sendAll(1, value + 5);
        });

        topic.awaitSettled();
        assertThat(bench.effects(value))
                .containsExactlyInAnyOrder(value + 1, value + 2, value + 3, value + 4, value + 5);
        assertThat(deadLetters.apply(kind).values())
                .filteredOn(one -> one.startsWith(value))
                .containsExactly(value + bad);
        assertThat(bench.bean(Recovery.Attempts.class).of(value))
                .containsExactly(value + bad + "#1", value + bad + "#2", value + bad + "#3");
    }
}
