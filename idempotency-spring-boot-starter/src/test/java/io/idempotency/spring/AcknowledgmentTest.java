package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.context.event.EventListener;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.event.ConsumerPausedEvent;
import org.springframework.kafka.support.Acknowledgment;

/** Listeners that acknowledge by hand: nothing reaches the container before the commit. */
class AcknowledgmentTest {

    enum Kind {
        RECORD,
        RECORD_IMMEDIATE,
        BATCH,
        BATCH_IMMEDIATE
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

    /** How a listener ends; the index is that of the value in its list. */
    private interface End {
        void end(Acknowledgment ack, int index, boolean isBatch);
    }

    static class Listeners {

        private final Map<String, End> ends = new ConcurrentHashMap<>();
        private final List<TopicPartition> paused = new CopyOnWriteArrayList<>();
        private final Effects.Ledger ledger;

        Listeners(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(id = "RECORD", groupId = "${topic}-RECORD", topics = "${topic}-RECORD", ackMode = "MANUAL")
        @Idempotent("record")
        void record(String value, Acknowledgment ack) {
            post(List.of(value), ack, false);
        }

        @KafkaListener(
                id = "RECORD_IMMEDIATE",
                groupId = "${topic}-RECORD_IMMEDIATE",
                topics = "${topic}-RECORD_IMMEDIATE",
                ackMode = "MANUAL_IMMEDIATE")
        @Idempotent("record-immediate")
        void recordImmediate(String value, Acknowledgment ack) {
            post(List.of(value), ack, false);
        }

        @KafkaListener(
                id = "BATCH",
                groupId = "${topic}-BATCH",
                topics = "${topic}-BATCH",
                batch = "true",
                ackMode = "MANUAL")
        @Idempotent("batch")
        void batch(List<String> values, Acknowledgment ack) {
            post(values, ack, true);
        }

        @KafkaListener(
                id = "BATCH_IMMEDIATE",
                groupId = "${topic}-BATCH_IMMEDIATE",
                topics = "${topic}-BATCH_IMMEDIATE",
                batch = "true",
                ackMode = "MANUAL_IMMEDIATE")
        @Idempotent("batch-immediate")
        void batchImmediate(List<ConsumerRecord<String, String>> records, Acknowledgment ack) {
            post(records.stream().map(ConsumerRecord::value).toList(), ack, true);
        }

        /** Tells that the container has been told of a negative acknowledgment. */
        @EventListener
        void onPause(ConsumerPausedEvent pause) {
            paused.addAll(pause.getPartitions());
        }

        private void post(List<String> values, Acknowledgment ack, boolean isBatch) {
            values.forEach(ledger::post);
            boolean isEnded = false;
            for (int i = 0; i < values.size(); i++) {
                End end = ends.get(values.get(i));
                if (end != null) {
                    end.end(ack, i, isBatch);
                    isEnded = true;
                }
            }
            if (!isEnded) {
                ack.acknowledge();
            }
        }
    }

    private static void end(String value, End end) {
        bench.bean(Listeners.class).ends.put(value, end);
    }

    private static List<String> callsOf(String prefix) {
        return bench.ledger().calls.stream()
                .filter(call -> call.startsWith(prefix))
                .toList();
    }

    private static void nack(Acknowledgment ack, int index, boolean isBatch) {
        if (isBatch) {
            ack.nack(index, Duration.ofMillis(1));
        } else {
            ack.nack(Duration.ofMillis(1));
        }
    }

    @ParameterizedTest
    @EnumSource
    void commitsNoOffsetOfAMessageWhoseCommitFailsAfterItWasAcknowledged(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":refused:";
        bench.ledger().refuseCommitOf(value + 2);
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
        assertThat(bench.effects(value)).containsExactly(value + 1, value + 3);
        assertThat(bench.bean(Recovery.Attempts.class).of(value))
                .containsExactly(value + "2#1", value + "2#2", value + "2#3");
        assertThat(deadLetters.apply(kind).values())
                .filteredOn(one -> one.startsWith(value))
                .containsExactly(value + 2);
        assertThat(overtaken).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void recordsNothingFromANegativeAcknowledgmentOn(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":nack:";
        AtomicInteger comes = new AtomicInteger();
        end(value + 2, (ack, index, isBatch) -> {
            if (comes.incrementAndGet() == 1) {
                nack(ack, index, isBatch);
            } else {
                ack.acknowledge();
            }
        });

        topic.whileStopped(() -> topic.sendAll(0, value + 1, value + 2, value + 3));

        topic.awaitSettled();
        assertThat(bench.effects(value)).containsExactly(value + 1, value + 2, value + 3);
        assertThat(comes).hasValue(2);
        assertThat(bench.bean(Recovery.Attempts.class).of(value)).isEmpty();
        assertThat(bench.bean(Listeners.class).paused).contains(new TopicPartition(topic.name, 0));
    }

    @ParameterizedTest
    @EnumSource(names = {"BATCH", "BATCH_IMMEDIATE"})
    void handsNothingBehindANegativeAcknowledgmentOverBeforeTheContainerHasWaited(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":behind:";
        AtomicInteger comes = new AtomicInteger();
        end(value + 2, (ack, index, isBatch) -> {
            if (comes.incrementAndGet() == 1) {
                nack(ack, index, isBatch);
            } else {
                ack.acknowledge();
            }
        });

        topic.whileStopped(() -> {
            topic.sendAll(0, value + 1, value + 2, value + 3);
            topic.sendAll(1, value + 4);
        });

        topic.awaitSettled();
        assertThat(bench.effects(value)).containsExactlyInAnyOrder(value + 1, value + 2, value + 3, value + 4);
        List<String> calls = callsOf(value);
        assertThat(calls.subList(calls.indexOf(value + 2), calls.lastIndexOf(value + 2)).stream()
                        .filter((value + 4)::equals))
                .as("The batch itself had it, if it came in the same poll")
                .hasSizeLessThanOrEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource(names = {"BATCH", "BATCH_IMMEDIATE"})
    void losesOnlyTheRecordBehindThoseThatWereAcknowledgedOneByOne(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":partial:";
        end(value + 1, (ack, index, isBatch) -> ack.acknowledge(index));
        end(value + 2, (ack, index, isBatch) -> {
            throw new IllegalStateException();
        });

        topic.whileStopped(() -> topic.sendAll(0, value + 1, value + 2, value + 3));

        topic.awaitSettled();
        assertThat(bench.effects(value)).containsExactly(value + 1, value + 3);
        assertThat(bench.bean(Recovery.Attempts.class).of(value)).hasSize(Recovery.ATTEMPTS);
    }

    @ParameterizedTest
    @EnumSource
    void takesBackWhatAListenerDidThatAcknowledgedInNoWay(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":silent:";
        end(value + 2, (ack, index, isBatch) -> {});

        topic.whileStopped(() -> topic.sendAll(0, value + 1, value + 2, value + 3));

        topic.awaitSettled();
        assertThat(bench.effects(value)).containsExactly(value + 1, value + 3);
        assertThat(deadLetters.apply(kind).values())
                .filteredOn(one -> one.startsWith(value))
                .containsExactly(value + 2);
    }

    @ParameterizedTest
    @EnumSource
    void refusesAnAcknowledgmentFromAnotherThread(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":thread:";
        List<Throwable> refusals = new CopyOnWriteArrayList<>();
        end(value, (ack, index, isBatch) -> {
            CompletableFuture.runAsync(ack::acknowledge)
                    .exceptionally(thrown -> {
                        refusals.add(thrown);
                        return null;
                    })
                    .join();
            ack.acknowledge();
        });

        topic.send(0, value, value);

        topic.awaitSettled();
        assertThat(refusals)
                .singleElement()
                .satisfies(thrown -> assertThat(thrown.getCause())
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("on its own thread"));
        assertThat(callsOf(value)).containsExactly(value);
    }

    @ParameterizedTest
    @EnumSource
    void acknowledgesDuplicatesForTheListener(Kind kind) {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":again:";
        topic.sendAll(0, value + 1, value + 2);
        topic.awaitSettled();

        topic.sendAll(0, value + 1, value + 2);

        topic.awaitSettled();
        assertThat(callsOf(value)).containsExactly(value + 1, value + 2);
    }
}
