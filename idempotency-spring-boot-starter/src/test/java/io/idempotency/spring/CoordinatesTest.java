package io.idempotency.spring;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Headers;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.kafka.annotation.BackOff;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.annotation.RetryableTopic;

/** Records without an id are known by where they stand. */
class CoordinatesTest {

    private static final long TIMESTAMP = System.currentTimeMillis();
    private static final ListenerBench bench = new ListenerBench().withoutJpa();
    private static final BenchTopic plain = bench.topic("PLAIN");
    private static final BenchTopic main = bench.topic("MAIN");
    private static final BenchTopic retries = bench.topic("MAIN-retry");
    private static final BenchTopic mainDeadLetters = bench.topic("MAIN-dlt");
    private static final BenchTopic again = bench.topic("AGAIN");
    private static final BenchTopic deadLetters = bench.topic("AGAIN-dlt");

    @BeforeAll
    static void start() {
        bench.with(
                        "idempotency.message-id.missing=coordinates",
                        "idempotency.message-id.retry-topics=" + deadLetters.name)
                .start(Recovery.class, Listeners.class);
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

        @KafkaListener(id = "PLAIN", groupId = "${topic}-PLAIN", topics = "${topic}-PLAIN")
        @Idempotent("plain")
        void plain(String value) {
            ledger.post(value);
        }

        @KafkaListener(id = "MAIN", groupId = "${topic}-MAIN", topics = "${topic}-MAIN")
        @RetryableTopic(attempts = "3", backOff = @BackOff(10), autoCreateTopics = "false")
        @Idempotent("main")
        void retried(String value) {
            ledger.post(value);
        }

        @KafkaListener(
                id = "AGAIN",
                groupId = "${topic}-AGAIN",
                topics = {"${topic}-AGAIN", "${topic}-AGAIN-dlt"})
        @Idempotent("again")
        void again(String value) {
            ledger.post(value);
        }
    }

    @Test
    void recogniseARedelivery() {
        plain.sendWithoutId(0, "redelivered");
        plain.awaitSettled();

        plain.redeliver();

        plain.awaitSettled();
        assertThat(bench.effects("redelivered")).containsExactly("redelivered");
    }

    @Test
    @Tag("rule-2.7")
    void areNotTakenByARecordThatSaysItStoodThere() throws Exception {
        long next = plain.end(0);
        forge(plain, "kafka_original-", next, "forged:1");
        forge(plain, "kafka_dlt-original-", next, "forged:2");
        plain.awaitSettled();

        send(plain, "forged:real");

        plain.awaitSettled();
        assertThat(bench.effects("forged:")).containsExactlyInAnyOrder("forged:1", "forged:2", "forged:real");
    }

    @Test
    void areThoseOfTheFirstTopicOnRetryTopics() {
        bench.ledger().fail("retried", 1, () -> new IllegalStateException("once"));
        main.sendWithoutId(0, "retried");
        ListenerBench.await().until(() -> !bench.effects("retried").isEmpty());
        retries.awaitSettled();

        main.redeliver();

        main.awaitSettled();
        assertThat(bench.effects("retried")).containsExactly("retried");
        assertThat(bench.ledger().callsOf("retried")).isEqualTo(2);
    }

    @Test
    @Tag("rule-2.7")
    void areNotTakenByARecordThatIsForwardedToARetryTopic() throws Exception {
        bench.ledger().fail("lying:1", 1, () -> new IllegalStateException("once"));
        forge(main, "kafka_original-", main.end(0), "lying:1");
        ListenerBench.await().until(() -> !bench.effects("lying:").isEmpty());

        send(main, "lying:real");

        main.awaitSettled();
        assertThat(bench.effects("lying:")).containsExactlyInAnyOrder("lying:1", "lying:real");
    }

    @Test
    void areThoseOfTheFirstTopicOnDeadLetterTopicsThatAreNamed() {
        bench.ledger().fail("dead", Recovery.ATTEMPTS, () -> new IllegalStateException("at first"));
        again.sendWithoutId(0, "dead");
        ListenerBench.await().until(() -> !bench.effects("dead").isEmpty());

        again.redeliver();

        again.awaitSettled();
        assertThat(bench.effects("dead")).containsExactly("dead");
        assertThat(bench.ledger().callsOf("dead")).isEqualTo(Recovery.ATTEMPTS + 1);
        assertThat(deadLetters.values()).containsExactly("dead");
        assertThat(mainDeadLetters.values()).isEmpty();
    }

    private static void send(BenchTopic topic, String value) throws Exception {
        bench.producer
                .send(new ProducerRecord<>(topic.name, 0, TIMESTAMP, "key", value))
                .get();
    }

    /** Sends to partition 1 what says that it stood in partition 0. */
    private static void forge(BenchTopic topic, String family, long offset, String value) throws Exception {
        ProducerRecord<String, String> record = new ProducerRecord<>(topic.name, 1, "key", value);
        Headers headers = record.headers();
        headers.add(family + "topic", topic.name.getBytes(UTF_8));
        headers.add(family + "partition", ByteBuffer.allocate(4).putInt(0).array());
        headers.add(family + "offset", ByteBuffer.allocate(8).putLong(offset).array());
        headers.add(
                family + "timestamp", ByteBuffer.allocate(8).putLong(TIMESTAMP).array());
        bench.producer.send(record).get();
    }
}
