package io.idempotency.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.IdempotentConsumer;
import io.idempotency.InvalidExpiryException;
import io.idempotency.Outcome;
import io.idempotency.memory.MemoryStore;
import io.idempotency.store.IdempotencyException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ExpiryHeaderTest {

    private static final Instant SENT = Instant.parse("2026-03-01T11:59:30Z");
    private static final ExpiryHeader EXPIRY = ExpiryHeader.named("expires");

    private static ConsumerRecord<String, String> record(long timestamp) {
        return new ConsumerRecord<>(
                "orders",
                3,
                17,
                timestamp,
                TimestampType.CREATE_TIME,
                1,
                1,
                "k",
                "v",
                new RecordHeaders().add("message-id", "A-1".getBytes(StandardCharsets.UTF_8)),
                Optional.empty());
    }

    private static ConsumerRecord<String, String> record(String name, byte[] value) {
        ConsumerRecord<String, String> record = record(SENT.toEpochMilli());
        record.headers().add(name, value);
        return record;
    }

    private static ConsumerRecord<String, String> expiring(String value) {
        return record("expires", value.getBytes(StandardCharsets.UTF_8));
    }

    @ParameterizedTest
    @CsvSource({
        "2026-03-01T12:00:00Z",
        "2026-03-01T13:00:00+01:00",
        "2026-03-01T12:00Z",
        "' 2026-03-01T12:00:00.000Z '",
        "1772366400000",
        "PT30S",
        "pt30s",
        "P0DT30S"
    })
    @Tag("rule-8.15")
    void readsInstantsMillisecondsAndDurations(String value) {
        assertThat(EXPIRY.expiry(expiring(value))).contains(Instant.parse("2026-03-01T12:00:00Z"));
    }

    @Test
    @Tag("rule-8.15")
    void aRecordWithoutTheHeaderDoesNotExpire() {
        assertThat(EXPIRY.expiry(record(0))).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "soon",
                "2026-03-01T12:00:00",
                "2026-03-01",
                "1772366400",
                "1772366400000000",
                "-1772366400000",
                "99999999999999999999",
                "P",
                "PT-5S",
                "P1M",
                "PT99999999999999999S",
                "1.5"
            })
    @Tag("rule-8.16")
    void refusesEverythingElse(String value) {
        assertThatThrownBy(() -> EXPIRY.expiry(expiring(value)))
                .isInstanceOf(InvalidExpiryException.class)
                .hasMessageContaining(
                        "The record at orders-3@17 has an expiry that cannot be read: header expires is \"" + value)
                .hasMessageContaining("Send an ISO-8601 instant");
    }

    @Test
    @Tag("rule-8.16")
    void refusesBytesThatAreNoTextAndNoBytes() {
        assertThatThrownBy(() -> EXPIRY.expiry(record("expires", new byte[] {(byte) 0xff})))
                .isInstanceOf(InvalidExpiryException.class)
                .hasMessageContaining("its value holds bytes that are not UTF-8");
        ConsumerRecord<String, String> empty = record(0);
        empty.headers().add("expires", (byte[]) null);
        assertThatThrownBy(() -> EXPIRY.expiry(empty)).isInstanceOf(InvalidExpiryException.class);
    }

    @Test
    void shortensAndEscapesTheValueInTheError() {
        assertThatThrownBy(() -> EXPIRY.expiry(expiring("x\n" + "y".repeat(5000))))
                .hasMessageContaining("\"x\\u000Ay")
                .satisfies(thrown -> assertThat(thrown.getMessage()).hasSizeLessThan(500));
    }

    @Test
    @Tag("rule-8.16")
    void refusesADurationOfARecordWithoutATimestamp() {
        ConsumerRecord<String, String> record = record(ConsumerRecord.NO_TIMESTAMP);
        record.headers().add("expires", "PT30S".getBytes(StandardCharsets.UTF_8));

        assertThatThrownBy(() -> EXPIRY.expiry(record)).hasMessageContaining("it has none");
    }

    @Test
    @Tag("rule-8.15")
    void aDurationOfARetriedRecordCountsFromTheOriginal() {
        ConsumerRecord<String, String> record = record(SENT.toEpochMilli() + 600_000);
        record.headers()
                .add(
                        "kafka_original-timestamp",
                        ByteBuffer.allocate(8).putLong(SENT.toEpochMilli()).array())
                .add("expires", "PT30S".getBytes(StandardCharsets.UTF_8));

        assertThat(EXPIRY.expiry(record)).contains(Instant.parse("2026-03-01T12:00:00Z"));
    }

    @Test
    void takesTheLastHeaderWhateverItsCase() {
        ConsumerRecord<String, String> record = record("Expires", "soon".getBytes(StandardCharsets.UTF_8));
        record.headers().add("EXPIRES", "PT30S".getBytes(StandardCharsets.UTF_8));

        assertThat(EXPIRY.expiry(record)).contains(Instant.parse("2026-03-01T12:00:00Z"));
    }

    @Test
    void needsAName() {
        assertThatThrownBy(() -> ExpiryHeader.named(" ")).isInstanceOf(IdempotencyException.class);
    }

    @Test
    @Tag("rule-8.15")
    void servesAConsumerOfRecords() {
        IdempotentConsumer<ConsumerRecord<String, String>> consumer = KafkaRecords.<String, String>consumer("billing")
                .store(MemoryStore.create())
                .expiry(EXPIRY)
                .build();

        assertThat(consumer.consume(expiring("PT30S"), (record, claim) -> {
                    throw new IllegalStateException("handled");
                }))
                .isEqualTo(Outcome.EXPIRED);
    }
}
