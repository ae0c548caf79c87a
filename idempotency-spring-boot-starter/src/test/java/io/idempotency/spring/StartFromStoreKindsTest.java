package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.ConsistencyLevel;
import io.idempotency.TransactionPer;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.kafka.annotation.BackOff;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.annotation.RetryableTopic;
import org.springframework.kafka.support.Acknowledgment;

/** Each kind of listener begins behind what the store knows to be settled: its offsets are deleted or set back, or its group has another id. */
@Tag("rule-16.7")
class StartFromStoreKindsTest {

    enum Kind {
        RECORD,
        RECORD_ACK,
        MANUAL,
        RETRYABLE,
        PATTERN,
        COOPERATIVE,
        CONSUMER_PROTOCOL,
        LEASED,
        AT_MOST_ONCE,
        POLL,
        BATCH,
        MANUAL_BATCH,
        JOURNAL_RECORD,
        JOURNAL_POLL,
        JOURNAL_BATCH;

        String consumer() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    private static final ListenerBench bench = new ListenerBench()
            .withoutJpa()
            .with(EnumSet.allOf(Kind.class).stream()
                    .map(kind -> "idempotency.consumers." + kind.consumer() + ".start-from=store")
                    .toArray(String[]::new));
    private static final Function<Kind, BenchTopic> topics = bench.topics(Kind.class, "");

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

        @KafkaListener(
                id = "RECORD",
                groupId = "${topic}-RECORD",
                topics = "${topic}-RECORD",
                concurrency = "2",
                properties = "auto.offset.reset=earliest")
        @Idempotent("record")
        void record(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "RECORD_ACK",
                groupId = "${topic}-RECORD_ACK",
                topics = "${topic}-RECORD_ACK",
                concurrency = "2",
                ackMode = "RECORD",
                properties = "auto.offset.reset=latest")
        @Idempotent("record-ack")
        void recordAck(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "MANUAL",
                groupId = "${topic}-MANUAL",
                topics = "${topic}-MANUAL",
                concurrency = "2",
                ackMode = "MANUAL_IMMEDIATE",
                properties = "auto.offset.reset=earliest")
        @Idempotent("manual")
        void manual(String value, Acknowledgment ack) {
            ledger.post(value);
            ack.acknowledge();
        }

        @KafkaListener(
                id = "RETRYABLE",
                groupId = "${topic}-RETRYABLE",
                topics = "${topic}-RETRYABLE",
                concurrency = "2",
                properties = "auto.offset.reset=latest")
        @RetryableTopic(attempts = "2", backOff = @BackOff(0), numPartitions = "2")
        @Idempotent("retryable")
        void retryable(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "PATTERN",
                groupId = "${topic}-PATTERN",
                topicPattern = "${topic}-PATTERN",
                concurrency = "2",
                properties = "auto.offset.reset=earliest")
        @Idempotent("pattern")
        void pattern(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "COOPERATIVE",
                groupId = "${topic}-COOPERATIVE",
                topics = "${topic}-COOPERATIVE",
                concurrency = "2",
                properties = {
                    "auto.offset.reset=latest",
                    "partition.assignment.strategy=org.apache.kafka.clients.consumer.CooperativeStickyAssignor"
                })
        @Idempotent("cooperative")
        void cooperative(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "CONSUMER_PROTOCOL",
                groupId = "${topic}-CONSUMER_PROTOCOL",
                topics = "${topic}-CONSUMER_PROTOCOL",
                concurrency = "2",
                properties = {"auto.offset.reset=latest", "group.protocol=consumer"})
        @Idempotent("consumer-protocol")
        void consumerProtocol(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "LEASED",
                groupId = "${topic}-LEASED",
                topics = "${topic}-LEASED",
                concurrency = "2",
                properties = "auto.offset.reset=earliest")
        @Idempotent(value = "leased", level = ConsistencyLevel.AT_LEAST_ONCE)
        void leased(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "AT_MOST_ONCE",
                groupId = "${topic}-AT_MOST_ONCE",
                topics = "${topic}-AT_MOST_ONCE",
                concurrency = "2",
                properties = "auto.offset.reset=latest")
        @Idempotent(value = "at-most-once", level = ConsistencyLevel.AT_MOST_ONCE)
        void atMostOnce(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "POLL",
                groupId = "${topic}-POLL",
                topics = "${topic}-POLL",
                concurrency = "2",
                properties = "auto.offset.reset=latest")
        @Idempotent(value = "poll", transactionPer = TransactionPer.POLL)
        void poll(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "BATCH",
                groupId = "${topic}-BATCH",
                topics = "${topic}-BATCH",
                concurrency = "2",
                batch = "true",
                properties = "auto.offset.reset=latest")
        @Idempotent("batch")
        void batch(List<String> values) {
            values.forEach(ledger::post);
        }

        @KafkaListener(
                id = "MANUAL_BATCH",
                groupId = "${topic}-MANUAL_BATCH",
                topics = "${topic}-MANUAL_BATCH",
                concurrency = "2",
                batch = "true",
                ackMode = "MANUAL",
                properties = "auto.offset.reset=earliest")
        @Idempotent("manual-batch")
        void manualBatch(List<String> values, Acknowledgment ack) {
            values.forEach(ledger::post);
            ack.acknowledge();
        }

        @KafkaListener(
                id = "JOURNAL_RECORD",
                groupId = "${topic}-JOURNAL_RECORD",
                topics = "${topic}-JOURNAL_RECORD",
                concurrency = "2",
                properties = "auto.offset.reset=latest")
        @Idempotent(value = "journal-record", store = "journal")
        void journalRecord(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "JOURNAL_POLL",
                groupId = "${topic}-JOURNAL_POLL",
                topics = "${topic}-JOURNAL_POLL",
                concurrency = "2",
                properties = "auto.offset.reset=earliest")
        @Idempotent(value = "journal-poll", store = "journal", transactionPer = TransactionPer.POLL)
        void journalPoll(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "JOURNAL_BATCH",
                groupId = "${topic}-JOURNAL_BATCH",
                topics = "${topic}-JOURNAL_BATCH",
                concurrency = "2",
                batch = "true",
                properties = "auto.offset.reset=latest")
        @Idempotent(value = "journal-batch", store = "journal")
        void journalBatch(List<String> values) {
            values.forEach(ledger::post);
        }
    }

    private static BenchTopic settled(Kind kind, String value) throws Exception {
        BenchTopic topic = topics.apply(kind);
        topic.awaitAssigned();
        topic.sendAll(0, value + 1, value + 2);
        topic.sendAll(1, value + 3);
        topic.awaitSettled();
        assertThat(topic.committedTexts()).hasSize(2).allMatch(text -> text.startsWith("settled from "));
        topic.stop();
        return topic;
    }

    /** Each of the five messages was delivered once. */
    private static void assertNothingCameAgain(Kind kind, String value) {
        ListenerBench.await()
                .untilAsserted(() -> assertThat(bench.effects(value)).hasSize(5));
        assertThat(bench.effects(value))
                .containsExactlyInAnyOrder(value + 1, value + 2, value + 3, value + 4, value + 5);
        // The listener hears of a message after its commit.
        ListenerBench.await()
                .untilAsserted(() -> assertThat(bench.bean(Effects.Consumptions.class).all)
                        .filteredOn(each -> each.delivery().id().consumer().equals(kind.consumer())
                                && each.delivery().id().value().startsWith(value))
                        .hasSize(5));
    }

    @ParameterizedTest
    @EnumSource
    void goesOnBehindWhatIsSettledIfTheOffsetsAreGone(Kind kind) throws Exception {
        String value = kind + ":gone:";
        BenchTopic topic = settled(kind, value);
        topic.deleteGroup();
        topic.sendAll(0, value + 4);
        topic.sendAll(1, value + 5);

        topic.start();

        topic.awaitSettled();
        assertNothingCameAgain(kind, value);
    }

    @ParameterizedTest
    @EnumSource
    void goesOnBehindWhatIsSettledIfTheOffsetsAreSetBack(Kind kind) throws Exception {
        String value = kind + ":back:";
        BenchTopic topic = settled(kind, value);
        topic.sendAll(0, value + 4);
        topic.sendAll(1, value + 5);

        topic.setOffsets(0, 0);
        topic.start();

        topic.awaitSettled();
        assertNothingCameAgain(kind, value);
    }

    @ParameterizedTest
    @EnumSource
    void goesOnBehindWhatIsSettledInAnotherGroup(Kind kind) throws Exception {
        String value = kind + ":group:";
        BenchTopic topic = settled(kind, value);
        topic.sendAll(0, value + 4);
        topic.sendAll(1, value + 5);

        topic.container().getContainerProperties().setGroupId(topic.name + "-renamed");
        topic.start();

        assertNothingCameAgain(kind, value);
        topic.stop();
        topic.container().getContainerProperties().setGroupId(topic.name);
        topic.start();
    }
}
