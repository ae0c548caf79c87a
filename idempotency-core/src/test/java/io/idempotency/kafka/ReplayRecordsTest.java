package io.idempotency.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.replay.UnreadableBytesException;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantinedMessage;
import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Quarantined bytes become the record that a Kafka consumer returned. */
class ReplayRecordsTest {

    private static final Payload.Header TYPE = new Payload.Header("type", "order".getBytes(UTF_8));
    private static final Payload.Header EMPTY = new Payload.Header("empty", null);

    private final MockConsumer<byte[], byte[]> kafka = new MockConsumer<>("none");
    private final RecordReread reread = new RecordReread(() -> kafka, Duration.ofMillis(50));
    private final List<String> seen = new ArrayList<>();
    private final Deserializer<String> values = new Deserializer<>() {
        @Override
        public String deserialize(String topic, byte[] data) {
            throw new AssertionError("called without headers");
        }

        @Override
        public String deserialize(String topic, Headers headers, byte[] data) {
            headers.forEach(header -> seen.add(header.key()));
            if (data.length == 0) {
                throw new IllegalArgumentException("empty");
            }
            return topic + ":" + new String(data, UTF_8);
        }
    };
    private final ReplayRecords<String, String> records = new ReplayRecords<>(new StringDeserializer(), values, reread);

    private static QuarantineEntry entry(Payload payload) {
        Delivery delivery = new Delivery(new MessageId("billing", "a"), new Position("orders", 3, 17), 1_000);
        QuarantineFailure failure = new QuarantineFailure("type", "group", "text");
        return new QuarantineEntry(
                new QuarantinedMessage(delivery, payload, failure, 1),
                1,
                Instant.EPOCH,
                Instant.EPOCH,
                Optional.empty());
    }

    private static byte @Nullable [] bytes(@Nullable String text) {
        return text == null ? null : text.getBytes(UTF_8);
    }

    private static Payload raw(@Nullable String key, @Nullable String value) {
        return new Payload(bytes(key), bytes(value), List.of(TYPE, EMPTY, TYPE), Payload.Origin.RAW);
    }

    @Test
    @Tag("rule-9.18")
    void makesTheRecordThatKafkaReturnedWithOneHeaderMore() {
        ConsumerRecord<String, String> record = records.record(entry(raw("key", "value")), "r-1");

        assertThat(KafkaRecords.position(record)).isEqualTo(new Position("orders", 3, 17));
        assertThat(record.timestamp()).isEqualTo(1_000);
        assertThat(record.key()).isEqualTo("key");
        assertThat(record.value()).isEqualTo("orders:value");
        assertThat(record.serializedKeySize()).isEqualTo(3);
        assertThat(record.serializedValueSize()).isEqualTo(5);
        assertThat(record.headers())
                .extracting(header -> header.key())
                .containsExactly("type", "empty", "type", ReplayRecords.HEADER);
        assertThat(record.headers().lastHeader("empty").value()).isNull();
        assertThat(record.headers().lastHeader(ReplayRecords.HEADER).value())
                .asString(UTF_8)
                .isEqualTo("r-1");
        assertThat(seen).as("headers that the deserializer sees").containsExactly("type", "empty", "type");
    }

    @Test
    @Tag("rule-9.18")
    void keepsNullBytesNull() {
        ConsumerRecord<String, String> record = records.record(entry(raw(null, null)), "r-1");

        assertThat(record.key()).isNull();
        assertThat(record.value()).isNull();
        assertThat(record.serializedValueSize()).isEqualTo(ConsumerRecord.NULL_SIZE);
    }

    @Test
    @Tag("rule-9.14")
    void tellsWhatCannotBeDeserialized() {
        assertThatThrownBy(() -> records.record(entry(raw("key", "")), "r-1"))
                .isInstanceOf(UnreadableBytesException.class)
                .hasMessageContaining("The value of orders-3@17")
                .hasCauseInstanceOf(IllegalArgumentException.class);
    }

    @Test
    @Tag("rule-9.18")
    void readsBytesAgainThatWereNotKept() {
        TopicPartition partition = new TopicPartition("orders", 3);
        kafka.schedulePollTask(() -> kafka.addRecord(new ConsumerRecord<>(
                "orders",
                3,
                17,
                1_000,
                org.apache.kafka.common.record.TimestampType.CREATE_TIME,
                3,
                5,
                "key".getBytes(UTF_8),
                "value".getBytes(UTF_8),
                new org.apache.kafka.common.header.internals.RecordHeaders(),
                Optional.empty())));

        ConsumerRecord<String, String> record = records.record(entry(Payload.none(Payload.Origin.SWITCHED_OFF)), "r-1");

        assertThat(record.value()).isEqualTo("orders:value");
        assertThat(kafka.assignment()).containsExactly(partition);
    }

    @Test
    @Tag("rule-9.14")
    void tellsBytesThatAreGoneFromAKafkaThatIsAway() {
        TopicPartition partition = new TopicPartition("orders", 3);
        kafka.updateEndOffsets(Map.of(partition, 18L));
        assertThatThrownBy(() -> records.record(entry(Payload.none(Payload.Origin.POSITION_ONLY)), "r-1"))
                .isInstanceOf(TransientStoreException.class);
        kafka.updateEndOffsets(Map.of(partition, 17L));
        assertThatThrownBy(() -> records.record(entry(Payload.none(Payload.Origin.POSITION_ONLY)), "r-1"))
                .isInstanceOf(UnreadableBytesException.class)
                .hasMessageContaining("orders-3@17", "gone")
                .hasNoCause();
    }

    @Test
    void makesDeserializersAsTheConsumerDoes() {
        try (ReplayRecords<String, String> made = ReplayRecords.of(
                Map.of(
                        "key.deserializer",
                        StringDeserializer.class,
                        "value.deserializer",
                        StringDeserializer.class.getName(),
                        "value.deserializer.encoding",
                        "UTF-16BE"),
                reread)) {
            Payload payload = new Payload(
                    null, "ä".getBytes(java.nio.charset.StandardCharsets.UTF_16BE), List.of(), Payload.Origin.RAW);
            assertThat(requireNonNull(made.record(entry(payload), "r-1").value()))
                    .isEqualTo("ä");
        }
        assertThatThrownBy(() -> ReplayRecords.of(Map.of(), reread)).hasMessageContaining("key.deserializer");
    }
}
