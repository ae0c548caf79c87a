package io.idempotency.kafka;

import static io.idempotency.kafka.ScriptedConsumer.P0;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.Outcome;
import io.idempotency.memory.MemoryQuarantine;
import io.idempotency.memory.MemoryStore;
import io.idempotency.store.MessageId;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Records without an id are told apart, also where one stands at the place of another that is gone: each is kept, once. */
class WithoutIdTest {

    private final MemoryStore store = MemoryStore.create();
    private final MemoryQuarantine quarantine = new MemoryQuarantine(store);
    private final IdempotentConsumer<ConsumerRecord<Object, Object>> idempotent = KafkaRecords.<Object, Object>consumer(
                    "billing")
            .store(store)
            .quarantine(quarantine)
            .failures(FailurePolicy.quarantineAfter(1))
            .standStillAfter(100)
            .build();

    @Test
    @Tag("rule-2.8")
    void keepsEveryRecordThatStoodAtOnePlace() {
        consume(record(1_000, 4, "v-1"));
        consume(record(1_001, 4, "v-1"));
        consume(record(1_000, 5, "v-1"));
        consume(record(1_000, 4, "v-22"));
        consume(record(1_000, 4, "v-2"));
        consume(record(1_000, 4, "v-2".getBytes(UTF_8)));
        consume(record(1_000, 4, "v-3".getBytes(UTF_8)));
        consume(record(1_000, 4, new Object()));

        assertThat(kept()).hasSize(7);
    }

    @Test
    @Tag("rule-2.8")
    void knowsARecordThatIsDeliveredAgain() {
        for (Object value : List.of("v-1", "v-2".getBytes(UTF_8))) {
            consume(record(1_000, 4, value));
            ConsumerRecord<Object, Object> again = record(1_000, 4, value);
            again.headers().add("traceparent", "of this delivery".getBytes(UTF_8));

            assertThat(idempotent
                            .consumeAll(List.of(again), (message, claim) -> {})
                            .outcomes())
                    .containsExactly(Outcome.QUARANTINED);
        }
        assertThat(kept()).hasSize(2);
        assertThat(kept()).allMatch(id -> id.value().startsWith("~none~orders-0@7~"));
    }

    @Test
    @Tag("rule-2.8")
    void keepsEveryRecordThatCannotBeDeserialized() {
        RecordProcessor<Object, Object> processor = RecordProcessor.of(idempotent, (message, claim) -> {});
        for (int delivery = 0; delivery < 2; delivery++) {
            processor.reject(consumer(), rejected(1_000, "v-1"));
            processor.reject(consumer(), rejected(1_001, "v-1"));
            processor.reject(consumer(), rejected(1_000, "v-2"));
        }

        assertThat(kept())
                .extracting(id -> new String(
                        quarantine.find(id).orElseThrow().message().payload().value(), UTF_8))
                .containsExactly("v-1", "v-1", "v-2");
    }

    private void consume(ConsumerRecord<Object, Object> record) {
        assertThat(idempotent
                        .consumeAll(List.of(record), (message, claim) -> {})
                        .outcomes())
                .containsExactly(Outcome.QUARANTINED);
    }

    private List<MessageId> kept() {
        return quarantine.list("billing", 100);
    }

    @SuppressWarnings("unchecked")
    private static org.apache.kafka.clients.consumer.Consumer<Object, Object> consumer() {
        ScriptedConsumer consumer = new ScriptedConsumer(P0);
        consumer.seek(P0, 7);
        return (org.apache.kafka.clients.consumer.Consumer<Object, Object>)
                (org.apache.kafka.clients.consumer.Consumer<?, ?>) consumer;
    }

    private static ConsumerRecord<Object, Object> record(long timestamp, int epoch, Object value) {
        return new ConsumerRecord<>(
                "orders",
                0,
                7,
                timestamp,
                TimestampType.CREATE_TIME,
                ConsumerRecord.NULL_SIZE,
                value instanceof String text ? text.length() : 3,
                null,
                value,
                new RecordHeaders(),
                Optional.of(epoch));
    }

    private static RecordDeserializationException rejected(long timestamp, String value) {
        return new RecordDeserializationException(
                RecordDeserializationException.DeserializationExceptionOrigin.VALUE,
                P0,
                7,
                timestamp,
                TimestampType.CREATE_TIME,
                null,
                ByteBuffer.wrap(value.getBytes(UTF_8)),
                new RecordHeaders(),
                "scripted",
                new IllegalArgumentException());
    }
}
