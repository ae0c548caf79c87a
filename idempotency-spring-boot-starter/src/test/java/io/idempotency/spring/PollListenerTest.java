package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.TransactionPer;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.kafka.annotation.KafkaListener;

/** A record listener whose polls are one transaction, beside one whose records have a transaction each. */
class PollListenerTest {

    private static final ListenerBench bench = new ListenerBench()
            .withoutJpa()
            .with(
                    "spring.kafka.producer.value-serializer=" + TextOrBytes.class.getName(),
                    "spring.kafka.consumer.value-deserializer="
                            + "org.springframework.kafka.support.serializer.ErrorHandlingDeserializer",
                    "spring.kafka.consumer.properties[spring.deserializer.value.delegate.class]="
                            + NoGarbage.class.getName());
    private static final BenchTopic poll = bench.topic("POLL");
    private static final BenchTopic record = bench.topic("RECORD");
    private static final BenchTopic pollDeadLetters = bench.topic("POLL-dlt");
    private static final BenchTopic recordDeadLetters = bench.topic("RECORD-dlt");

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

        Listeners(Effects.Ledger ledger) {
            this.ledger = ledger;
        }

        @KafkaListener(id = "POLL", groupId = "${topic}-POLL", topics = "${topic}-POLL")
        @Idempotent(value = "poll", transactionPer = TransactionPer.POLL)
        void poll(String value) {
            ledger.post(value);
        }

        @KafkaListener(id = "RECORD", groupId = "${topic}-RECORD", topics = "${topic}-RECORD")
        @Idempotent("record")
        void record(String value) {
            ledger.post(value);
        }
    }

    /** Cannot read everything. */
    public static final class NoGarbage implements Deserializer<String> {

        @Override
        public String deserialize(String topic, byte[] data) {
            String text = new String(data, StandardCharsets.UTF_8);
            if (text.contains("garbage")) {
                throw new IllegalArgumentException(text);
            }
            return text;
        }
    }

    /** Writes what a recoverer has: a value, or the bytes of one that could not be read. */
    public static final class TextOrBytes implements Serializer<Object> {

        @Override
        public byte[] serialize(String topic, Object data) {
            return data instanceof byte[] bytes ? bytes : data.toString().getBytes(StandardCharsets.UTF_8);
        }
    }

    @Test
    void claimsAllRecordsOfAPollInOneStatementAndCommitsThemAtOnce() {
        poll.whileStopped(() -> poll.sendAll(0, "poll:1", "poll:2", "poll:3", "poll:4"));
        record.whileStopped(() -> record.sendAll(0, "record:1", "record:2", "record:3", "record:4"));
        poll.awaitSettled();
        record.awaitSettled();

        assertThat(transactions("poll:")).isEqualTo(1);
        assertThat(claimStatements("poll:")).isEqualTo(1);
        assertThat(transactions("record:")).isEqualTo(4);
        assertThat(claimStatements("record:")).isEqualTo(4);
    }

    /** PostgreSQL keeps with each row the transaction that wrote it. */
    private static int transactions(String prefix) {
        return count("select count(distinct xmin::text) from effect where value like ?", prefix);
    }

    /** And the place of the statement in it. */
    private static int claimStatements(String prefix) {
        return count(
                "select count(distinct xmin::text || '/' || cmin::text) from idempotency_message"
                        + " where xmin::text in (select xmin::text from effect where value like ?)",
                prefix);
    }

    private static int count(String query, String prefix) {
        Integer count = bench.jdbc().queryForObject(query, Integer.class, prefix + "%");
        return count == null ? 0 : count;
    }

    @ParameterizedTest
    @ValueSource(strings = {"POLL", "RECORD"})
    void recoversAloneAValueThatCannotBeRead(String kind) {
        BenchTopic topic = kind.equals("POLL") ? poll : record;
        BenchTopic deadLetters = kind.equals("POLL") ? pollDeadLetters : recordDeadLetters;
        String value = kind + ":read:";

        topic.whileStopped(() -> topic.sendAll(0, value + 1, value + "garbage", value + 2));

        topic.awaitSettled();
        assertThat(bench.effects(value)).containsExactly(value + 1, value + 2);
        assertThat(deadLetters.values()).containsExactly(value + "garbage");
        assertThat(bench.bean(Recovery.Attempts.class).of("null")).doesNotContain("null#2");
    }
}
