package io.idempotency.jdbc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.ConsistencyLevel;
import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.Outcome;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.store.InvalidMessageIdException;
import java.util.Optional;
import java.util.UUID;
import java.util.function.UnaryOperator;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Records that need not stay in one partition: a journal would not see their copies. */
@Tag("rule-4.5")
class JournalStraysTest {

    private final JournalFixture fixture = new JournalFixture(TestDatabase.H2);

    @AfterEach
    void close() {
        fixture.close();
    }

    private Outcome consumed(
            ConsumerRecord<byte[], byte[]> record,
            ConsistencyLevel level,
            UnaryOperator<JournalStoreBuilder> settings) {
        JournalStore store = settings.apply(
                        JournalStore.builder(fixture.dataSource).tablePrefix(JournalFixture.PREFIX))
                .build();
        try (IdempotentConsumer<ConsumerRecord<byte[], byte[]>> consumer = KafkaRecords.<byte[], byte[]>consumer(
                        "c-" + UUID.randomUUID())
                .store(store)
                .level(level)
                .failures(FailurePolicy.leaveToCaller())
                .build()) {
            return consumer.consume(record, (message, claim) -> {});
        }
    }

    private static ConsumerRecord<byte[], byte[]> record(byte[] key) {
        ConsumerRecord<byte[], byte[]> record = new ConsumerRecord<>("orders", 3, 18, key, new byte[0]);
        record.headers().add("message-id", "m".getBytes(UTF_8));
        return record;
    }

    private static ConsumerRecord<byte[], byte[]> keyless() {
        ConsumerRecord<byte[], byte[]> keyed = record(new byte[0]);
        return new ConsumerRecord<>(
                keyed.topic(),
                keyed.partition(),
                keyed.offset(),
                keyed.timestamp(),
                keyed.timestampType(),
                ConsumerRecord.NULL_SIZE,
                0,
                null,
                new byte[0],
                keyed.headers(),
                Optional.empty());
    }

    private static ConsumerRecord<byte[], byte[]> fromRetryTopic() {
        ConsumerRecord<byte[], byte[]> record = record(new byte[0]);
        record.headers().add("kafka_original-topic", "orders".getBytes(UTF_8));
        return record;
    }

    @Test
    void areRefusedWithWhatToDo() {
        assertThatThrownBy(() -> consumed(keyless(), ConsistencyLevel.STRONG, settings -> settings))
                .isInstanceOf(InvalidMessageIdException.class)
                .hasMessageContainingAll("orders-3@18", "no key", "accept missed duplicates");
        assertThatThrownBy(() -> consumed(fromRetryTopic(), ConsistencyLevel.AT_MOST_ONCE, settings -> settings))
                .isInstanceOf(InvalidMessageIdException.class)
                .hasMessageContainingAll("orders-3@18", "retry topic", "accept missed duplicates");
    }

    @Test
    void areTakenByChoice() {
        assertThat(consumed(keyless(), ConsistencyLevel.STRONG, JournalStoreBuilder::acceptMissedDuplicates))
                .isEqualTo(Outcome.PROCESSED);
        assertThat(consumed(fromRetryTopic(), ConsistencyLevel.STRONG, JournalStoreBuilder::acceptMissedDuplicates))
                .isEqualTo(Outcome.PROCESSED);
    }

    @Test
    void areNoMatterWhereNothingIsRemembered() {
        assertThat(consumed(keyless(), ConsistencyLevel.NONE, settings -> settings))
                .isEqualTo(Outcome.PROCESSED);
    }
}
