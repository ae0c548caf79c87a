package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.ConsistencyLevel;
import io.idempotency.Outcome;
import io.idempotency.TransactionPer;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.kafka.annotation.BackOff;
import org.springframework.kafka.annotation.KafkaHandler;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.annotation.RetryableTopic;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.transaction.annotation.Transactional;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** The same duplicates for every kind of listener, on a real broker and a real database: the effect happens once. */
class DuplicatesTest {

    enum Kind {
        RECORD,
        MANUAL,
        TRANSACTIONAL,
        HANDLERS,
        COOPERATIVE,
        CONSUMER_PROTOCOL,
        RETRYABLE,
        POLL,
        BATCH,
        RECORD_LIST,
        CONSUMER_RECORDS,
        MANUAL_BATCH,
        LEASED,
        FUTURE,
        MONO,
        JOURNAL_RECORD,
        JOURNAL_POLL,
        JOURNAL_BATCH
    }

    private static final Set<Kind> LEASES = EnumSet.of(Kind.LEASED, Kind.FUTURE, Kind.MONO);

    /** They know a message only in its partition, and share the application with the others. */
    private static final Set<Kind> JOURNALS = EnumSet.of(Kind.JOURNAL_RECORD, Kind.JOURNAL_POLL, Kind.JOURNAL_BATCH);

    private static final ListenerBench bench = new ListenerBench().withoutJpa();
    private static final Function<Kind, BenchTopic> topics = bench.topics(Kind.class, "");

    @BeforeAll
    static void start() {
        bench.start(Listeners.class, Handlers.class);
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
                id = "MANUAL",
                groupId = "${topic}-MANUAL",
                topics = "${topic}-MANUAL",
                concurrency = "2",
                ackMode = "MANUAL")
        @Idempotent("manual")
        void manual(String value, Acknowledgment ack) {
            ledger.post(value);
            ack.acknowledge();
        }

        @KafkaListener(
                id = "TRANSACTIONAL",
                groupId = "${topic}-TRANSACTIONAL",
                topics = "${topic}-TRANSACTIONAL",
                concurrency = "2")
        @Transactional
        @Idempotent("transactional")
        public void transactional(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "COOPERATIVE",
                groupId = "${topic}-COOPERATIVE",
                topics = "${topic}-COOPERATIVE",
                concurrency = "2",
                properties =
                        "partition.assignment.strategy=org.apache.kafka.clients.consumer.CooperativeStickyAssignor")
        @Idempotent("cooperative")
        void cooperative(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "CONSUMER_PROTOCOL",
                groupId = "${topic}-CONSUMER_PROTOCOL",
                topics = "${topic}-CONSUMER_PROTOCOL",
                concurrency = "2",
                properties = "group.protocol=consumer")
        @Idempotent("consumer-protocol")
        void consumerProtocol(String value) {
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

        @KafkaListener(id = "POLL", groupId = "${topic}-POLL", topics = "${topic}-POLL", concurrency = "2")
        @Idempotent(value = "poll", transactionPer = TransactionPer.POLL)
        void poll(String value) {
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

        @KafkaListener(
                id = "RECORD_LIST",
                groupId = "${topic}-RECORD_LIST",
                topics = "${topic}-RECORD_LIST",
                concurrency = "2",
                batch = "true")
        @Idempotent("record-list")
        void recordList(List<ConsumerRecord<String, String>> records) {
            records.forEach(record -> ledger.post(record.value()));
        }

        @KafkaListener(
                id = "CONSUMER_RECORDS",
                groupId = "${topic}-CONSUMER_RECORDS",
                topics = "${topic}-CONSUMER_RECORDS",
                concurrency = "2",
                batch = "true")
        @Idempotent("consumer-records")
        void consumerRecords(ConsumerRecords<String, String> records) {
            records.forEach(record -> ledger.post(record.value()));
        }

        @KafkaListener(
                id = "MANUAL_BATCH",
                groupId = "${topic}-MANUAL_BATCH",
                topics = "${topic}-MANUAL_BATCH",
                concurrency = "2",
                batch = "true",
                ackMode = "MANUAL_IMMEDIATE")
        @Idempotent("manual-batch")
        void manualBatch(List<String> values, Acknowledgment ack) {
            values.forEach(ledger::post);
            ack.acknowledge();
        }

        @KafkaListener(id = "LEASED", groupId = "${topic}-LEASED", topics = "${topic}-LEASED", concurrency = "2")
        @Idempotent(value = "leased", level = ConsistencyLevel.AT_LEAST_ONCE)
        void leased(String value) {
            ledger.post(value);
        }

        @KafkaListener(id = "FUTURE", groupId = "${topic}-FUTURE", topics = "${topic}-FUTURE", concurrency = "2")
        @Idempotent(value = "future", level = ConsistencyLevel.AT_LEAST_ONCE)
        CompletableFuture<Void> future(String value) {
            return CompletableFuture.runAsync(() -> ledger.post(value));
        }

        @KafkaListener(id = "MONO", groupId = "${topic}-MONO", topics = "${topic}-MONO", concurrency = "2")
        @Idempotent(value = "mono", level = ConsistencyLevel.AT_LEAST_ONCE)
        Mono<Void> mono(String value) {
            return Mono.<Void>fromRunnable(() -> ledger.post(value)).subscribeOn(Schedulers.boundedElastic());
        }

        @KafkaListener(
                id = "JOURNAL_RECORD",
                groupId = "${topic}-JOURNAL_RECORD",
                topics = "${topic}-JOURNAL_RECORD",
                concurrency = "2")
        @Idempotent(value = "journal-record", store = "journal")
        void journalRecord(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "JOURNAL_POLL",
                groupId = "${topic}-JOURNAL_POLL",
                topics = "${topic}-JOURNAL_POLL",
                concurrency = "2")
        @Idempotent(value = "journal-poll", store = "journal", transactionPer = TransactionPer.POLL)
        void journalPoll(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "JOURNAL_BATCH",
                groupId = "${topic}-JOURNAL_BATCH",
                topics = "${topic}-JOURNAL_BATCH",
                concurrency = "2",
                batch = "true")
        @Idempotent(value = "journal-batch", store = "journal")
        void journalBatch(List<String> values) {
            values.forEach(ledger::post);
        }
    }

    @KafkaListener(id = "HANDLERS", groupId = "${topic}-HANDLERS", topics = "${topic}-HANDLERS", concurrency = "2")
    @Idempotent("handlers")
    static class Handlers {

        private final Effects.Ledger ledger;

        Handlers(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaHandler
        void text(String value) {
            ledger.post(value);
        }

        @KafkaHandler(isDefault = true)
        void other(Object value) {
            throw new IllegalArgumentException();
        }
    }

    @ParameterizedTest
    @EnumSource
    void hasItsEffectOnceWhenOffsetsWereLost(Kind kind) {
        BenchTopic topic = topics.apply(kind);
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
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":again:";
        topic.sendAll(0, value + 1, value + 2);
        topic.awaitSettled();

        topic.sendAll(0, value + 2, value + 3);
        topic.sendAll(JOURNALS.contains(kind) ? 0 : 1, value + 1);

        topic.awaitSettled();
        assertThat(bench.effects(value)).containsExactlyInAnyOrder(value + 1, value + 2, value + 3);
    }

    @ParameterizedTest
    @EnumSource
    void hasItsEffectOnceForCopiesInOnePoll(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":poll:";

        topic.whileStopped(() -> topic.sendAll(0, value + 1, value + 2, value + 1, value + 3, value + 2));

        topic.awaitSettled();
        assertThat(bench.effects(value)).containsExactly(value + 1, value + 2, value + 3);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.MATCH_NONE, names = "JOURNAL_.*")
    void hasItsEffectOnceForCopiesOnTwoPartitionsAtOneTime(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":both:";
        topic.awaitAssigned();
        CountDownLatch let = bench.ledger().hold(value);
        topic.send(0, value, value);
        ListenerBench.await().until(() -> bench.ledger().callsOf(value) == 1);

        topic.send(1, value, value);
        if (LEASES.contains(kind)) {
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
