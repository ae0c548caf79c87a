package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.support.Acknowledgment;

/** An offset that cannot be committed is no failure of the record in front of it, which is processed. */
class OffsetCommitTest {

    enum Kind {
        RECORD,
        IMMEDIATE,
        BATCH_IMMEDIATE
    }

    private static final ListenerBench bench = new ListenerBench().withoutJpa();
    private static final Function<Kind, BenchTopic> topics = bench.topics(Kind.class, "");
    private static final Function<Kind, BenchTopic> deadLetters = bench.topics(Kind.class, "-dlt");

    @BeforeAll
    static void start() {
        bench.start(Recovery.class, LostCommits.class, Listeners.class);
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

        @KafkaListener(id = "RECORD", groupId = "${topic}-RECORD", topics = "${topic}-RECORD", ackMode = "RECORD")
        @Idempotent("record")
        void record(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "IMMEDIATE",
                groupId = "${topic}-IMMEDIATE",
                topics = "${topic}-IMMEDIATE",
                ackMode = "MANUAL_IMMEDIATE")
        @Idempotent("immediate")
        void immediate(String value, Acknowledgment ack) {
            ledger.post(value);
            ack.acknowledge();
        }

        @KafkaListener(
                id = "BATCH_IMMEDIATE",
                groupId = "${topic}-BATCH_IMMEDIATE",
                topics = "${topic}-BATCH_IMMEDIATE",
                batch = "true",
                ackMode = "MANUAL_IMMEDIATE")
        @Idempotent("batch-immediate")
        void batchImmediate(List<String> values, Acknowledgment ack) {
            values.forEach(ledger::post);
            ack.acknowledge();
        }
    }

    static Stream<Arguments> lostCommits() {
        Supplier<RuntimeException> late = () -> new TimeoutException("late");
        Supplier<RuntimeException> fenced = () -> new CommitFailedException("fenced");
        return Stream.of(Kind.values())
                .flatMap(kind -> Stream.of(
                        Arguments.argumentSet(kind + ", timeout", kind, "late", late),
                        Arguments.argumentSet(kind + ", fenced", kind, "fenced", fenced)));
    }

    @ParameterizedTest
    @MethodSource("lostCommits")
    void isNeverChargedToARecordThatIsProcessed(Kind kind, String why, Supplier<RuntimeException> failure)
            throws Exception {
        BenchTopic topic = topics.apply(kind);
        String value = kind + ":" + why + ":";
        topic.stop();
        topic.sendAll(0, value + 1, value + 2);
        bench.bean(LostCommits.class).lose(topic.name, topic.end(0), 2 * Recovery.ATTEMPTS, failure);
        topic.start();

        ListenerBench.await()
                .until(() -> bench.bean(LostCommits.class).left(topic.name), left -> left < Recovery.ATTEMPTS);
        topic.send(0, value + 3, value + 3);

        topic.awaitSettled();
        assertThat(bench.effects(value)).containsExactly(value + 1, value + 2, value + 3);
        assertThat(bench.ledger().calls)
                .filteredOn(call -> call.startsWith(value))
                .hasSize(3);
        assertThat(bench.bean(Recovery.Attempts.class).of(value)).isEmpty();
        assertThat(deadLetters.apply(kind).values()).isEmpty();
    }
}
