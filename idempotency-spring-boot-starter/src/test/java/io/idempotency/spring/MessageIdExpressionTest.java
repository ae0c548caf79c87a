package io.idempotency.spring;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.store.ClaimStore;
import io.idempotency.store.MessageId;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.kafka.annotation.KafkaListener;

/** What an expression makes of a record is its id, if it can be one. */
class MessageIdExpressionTest {

    private static final ListenerBench bench = new ListenerBench().withoutJpa();
    private static final BenchTopic bytes = bench.topic("BYTES");
    private static final BenchTopic numbers = bench.topic("NUMBERS");
    private static final BenchTopic deadLetters = bench.topic("NUMBERS-dlt");

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

        @KafkaListener(id = "BYTES", groupId = "${topic}-BYTES", topics = "${topic}-BYTES")
        @Idempotent(value = "bytes", messageId = "headers.lastHeader('order-id').value()")
        void bytes(String value) {
            ledger.post(value);
        }

        @KafkaListener(id = "NUMBERS", groupId = "${topic}-NUMBERS", topics = "${topic}-NUMBERS")
        @Idempotent(value = "numbers", messageId = "T(Double).valueOf(value)")
        void numbers(String value) {
            ledger.post(value);
        }
    }

    @Test
    @Tag("rule-2.6")
    void readsTheBytesOfAHeader() throws Exception {
        for (String value : new String[] {"first", "copy"}) {
            ProducerRecord<String, String> record = new ProducerRecord<>(bytes.name, 0, "key", "bytes:" + value);
            record.headers().add("order-id", "\u00e4-7".getBytes(UTF_8));
            bench.producer.send(record).get();
        }

        bytes.awaitSettled();
        assertThat(bench.effects("bytes:")).containsExactly("bytes:first");
        assertThat(bench.bean(ClaimStore.class).find(new MessageId("bytes", "~record:\u00e4-7")))
                .isPresent();
    }

    /** Both are infinite as a double: one id, so that the second one would be skipped as a copy of the first. */
    @ParameterizedTest
    @CsvSource({"1e400, 2e500", "1.0, 1"})
    @Tag("rule-2.6")
    void refusesNumbersThatAreOneNumber(String one, String other) {
        numbers.sendWithoutId(0, one);
        numbers.sendWithoutId(0, other);

        numbers.awaitSettled();
        assertThat(bench.effects(one)).isEmpty();
        assertThat(deadLetters.read())
                .filteredOn(
                        record -> record.value().equals(one) || record.value().equals(other))
                .extracting(MessageIdExpressionTest::reason)
                .hasSize(2)
                .allMatch(reason -> reason.contains("java.lang.Double") && reason.contains("have it sent as text"));
    }

    private static String reason(ConsumerRecord<String, String> record) {
        return BenchTopic.header(record, "kafka_dlt-exception-message");
    }
}
