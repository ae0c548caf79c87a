package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.Consumption;
import io.idempotency.Outcome;
import io.idempotency.store.MessageId;
import io.idempotency.store.QuarantineStore;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Function;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.kafka.annotation.KafkaListener;

/** Listeners of the starter do not get expired messages. */
class ExpiredMessagesTest {

    enum Kind {
        RECORD,
        BATCH,
        /** Its messages do not expire. */
        NEVER
    }

    private static final ListenerBench bench = new ListenerBench()
            .withoutJpa()
            .with("idempotency.expiry.header=expires", "idempotency.consumers.never.expiry-header=");
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

        @KafkaListener(id = "RECORD", groupId = "${topic}-RECORD", topics = "${topic}-RECORD")
        @Idempotent("record")
        void record(String value) {
            ledger.post(value);
        }

        @KafkaListener(id = "BATCH", groupId = "${topic}-BATCH", topics = "${topic}-BATCH", batch = "true")
        @Idempotent("batch")
        void batch(List<String> values) {
            values.forEach(ledger::post);
        }

        @KafkaListener(id = "NEVER", groupId = "${topic}-NEVER", topics = "${topic}-NEVER")
        @Idempotent("never")
        void never(String value) {
            ledger.post(value);
        }
    }

    private static void send(BenchTopic topic, String value, String expiry) {
        ProducerRecord<String, String> record = new ProducerRecord<>(topic.name, 0, "key", value);
        record.headers()
                .add("message-id", value.getBytes(StandardCharsets.UTF_8))
                .add("expires", expiry.getBytes(StandardCharsets.UTF_8));
        var unused = bench.producer.send(record);
        bench.producer.flush();
    }

    private static List<Outcome> outcomes(String ids) {
        return bench.bean(Effects.Consumptions.class).all.stream()
                .filter(event -> event.delivery().id().value().startsWith(ids))
                .map(Consumption::outcome)
                .toList();
    }

    @Test
    @Tag("rule-8.15")
    void anExpiredRecordIsSettledWithoutTheListenerAndRemembered() {
        BenchTopic topic = topics.apply(Kind.RECORD);
        send(topic, "RECORD-late", "PT0S");
        send(topic, "RECORD-good", "PT1H");
        send(topic, "RECORD-late", "PT1H");
        topic.awaitSettled();

        assertThat(bench.effects("RECORD-")).containsExactly("RECORD-good");
        assertThat(outcomes("RECORD-")).startsWith(Outcome.EXPIRED, Outcome.PROCESSED, Outcome.DUPLICATE);
    }

    @Test
    @Tag("rule-8.15")
    void aBatchComesWithoutExpiredRecords() {
        BenchTopic topic = topics.apply(Kind.BATCH);
        topic.whileStopped(() -> {
            send(topic, "BATCH-a", "PT1H");
            send(topic, "BATCH-late", "2026-01-01T00:00:00Z");
            send(topic, "BATCH-b", "PT1H");
        });
        topic.awaitSettled();

        assertThat(bench.effects("BATCH-")).containsExactly("BATCH-a", "BATCH-b");
        assertThat(outcomes("BATCH-")).containsExactly(Outcome.PROCESSED, Outcome.EXPIRED, Outcome.PROCESSED);
    }

    @Test
    @Tag("rule-8.16")
    void anUnreadableExpiryGoesToQuarantineWithoutARetry() {
        BenchTopic topic = topics.apply(Kind.NEVER);
        send(topic, "NEVER-late", "PT0S");
        BenchTopic records = topics.apply(Kind.RECORD);
        send(records, "unreadable", "soon");
        topic.awaitSettled();
        records.awaitSettled();

        assertThat(bench.effects("NEVER-")).containsExactly("NEVER-late");
        assertThat(bench.ledger().callsOf("unreadable")).isZero();
        assertThat(bench.bean(QuarantineStore.class)
                        .find(new MessageId("record", "unreadable"))
                        .orElseThrow()
                        .message()
                        .failure()
                        .text())
                .contains("has an expiry that cannot be read: header expires is \"soon\"");
    }
}
