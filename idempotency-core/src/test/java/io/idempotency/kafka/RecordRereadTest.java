package io.idempotency.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.MessageReader;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Where the bytes for the quarantine come from. */
class RecordRereadTest {

    private static final TopicPartition ORDERS = new TopicPartition("orders", 0);

    @Test
    @Tag("rule-5.1")
    void readsTheBytesAgainAtTheVeryPosition() {
        String topic = Broker.topic(1);
        Broker.send(topic, 0, "a", "first");
        Broker.send(topic, 0, "b", "second");
        try (RecordReread reread = RecordReread.of(Broker.consumer("consumer"))) {
            MessageReader<ConsumerRecord<String, String>> reader = KafkaRecords.reader(reread);
            ConsumerRecord<String, String> record = new ConsumerRecord<>(topic, 0, 1, "b", "second");

            Payload payload = reader.payload(record);

            assertThat(reader.position(record)).isEqualTo(new Position(topic, 0, 1));
            assertThat(payload.origin()).isEqualTo(Payload.Origin.REREAD);
            assertThat(payload.key()).asString(UTF_8).isEqualTo("b");
            assertThat(payload.value()).asString(UTF_8).isEqualTo("second");
            assertThat(payload.headers()).hasSize(1);
        }
    }

    @Test
    @Tag("rule-5.1")
    void refusesTheNextRecordWhenItsOwnIsGone() {
        MockConsumer<byte[], byte[]> consumer = new MockConsumer<>("none") {
            @Override
            public synchronized void seek(TopicPartition partition, long offset) {
                super.seek(partition, offset);
                addRecord(new ConsumerRecord<>("orders", 0, 9, null, "another one".getBytes(UTF_8)));
            }
        };
        RecordReread reread = new RecordReread(() -> consumer, Duration.ofSeconds(5));

        try (LogCapture logs = new LogCapture()) {
            assertThat(reread.read(at("orders", 8, ConsumerRecord.NO_TIMESTAMP)))
                    .isEmpty();
            assertThat(logs.warnings()).singleElement().asString().contains("orders-0@8", "it is gone", "offset 9");
        }
        assertThat(reread.read(at("orders", 9, ConsumerRecord.NO_TIMESTAMP))).isPresent();
    }

    private static ConsumerRecord<String, String> at(String topic, long offset, long timestamp) {
        return new ConsumerRecord<>(
                topic,
                0,
                offset,
                timestamp,
                TimestampType.CREATE_TIME,
                0,
                0,
                "k",
                "v",
                new RecordHeaders(),
                Optional.empty());
    }

    @Test
    @Tag("rule-5.1")
    void refusesTheRecordOfATopicThatWasMadeAnew() {
        String topic = Broker.topic(1);
        Broker.send(topic, 0, "a", "another one");
        ConsumerRecord<String, String> wanted = at(topic, 0, 1_000);

        try (RecordReread reread = RecordReread.of(Broker.consumer("classic"));
                LogCapture logs = new LogCapture()) {
            assertThat(reread.read(wanted)).isEmpty();
            assertThat(logs.warnings()).singleElement().asString().contains(topic + "-0@0", "created again");
        }
    }

    @Test
    @Tag("rule-5.1")
    void keepsHeadersOnlyWhenTheRecordWasDeleted() {
        String topic = Broker.topic(1);
        Broker.send(topic, 0, "a", "first");
        Broker.send(topic, 0, "b", "second");
        Broker.join(Broker.ADMIN
                .deleteRecords(Map.of(new TopicPartition(topic, 0), RecordsToDelete.beforeOffset(1)))
                .all());
        try (RecordReread reread = RecordReread.of(Broker.consumer("classic"))) {
            ConsumerRecord<String, String> record = new ConsumerRecord<>(topic, 0, 0, "a", "first");
            record.headers().add("message-id", Broker.bytes("a"));

            try (LogCapture logs = new LogCapture()) {
                Payload payload = KafkaRecords.<String, String>reader(reread).payload(record);

                assertThat(payload.origin()).isEqualTo(Payload.Origin.POSITION_ONLY);
                assertThat(payload.value()).isNull();
                assertThat(payload.headers()).hasSize(1);
                assertThat(logs.warnings()).singleElement().asString().contains(topic + "-0@0", "it is gone");
            }
        }
    }

    @Test
    @Tag("rule-5.10")
    void saysThatNobodyCanReadARecordAgainAndKeepsWhatItHas() {
        ConsumerRecord<byte[], String> record = new ConsumerRecord<>("orders", 0, 8, "k".getBytes(UTF_8), "v");

        try (LogCapture logs = new LogCapture()) {
            Payload payload = KafkaRecords.<byte[], String>reader().payload(record);

            assertThat(payload.origin()).isEqualTo(Payload.Origin.POSITION_ONLY);
            assertThat(payload.key()).asString(UTF_8).isEqualTo("k");
            assertThat(payload.value()).isNull();
            assertThat(logs.warnings()).singleElement().asString().contains("orders-0@8", "KafkaRecords.reader");
        }
    }

    @Test
    @Tag("rule-5.10")
    void doesNotWaitUntilAFetchIsAsFullAsOthersAreToBe() {
        String topic = Broker.topic(1);
        Broker.send(topic, 0, "a", "first");
        Map<String, Object> properties = Broker.consumer("classic");
        properties.put("fetch.min.bytes", 50_000_000);
        properties.put("fetch.max.wait.ms", 25_000);
        try (RecordReread reread = RecordReread.of(properties)) {
            assertThat(reread.read(at(topic, 0, ConsumerRecord.NO_TIMESTAMP))).isPresent();
        }
    }

    @Test
    @Tag("rule-5.10")
    void readsAgainWhatADeserializerHasUnpackedIntoOtherBytes() {
        String topic = Broker.topic(1);
        Broker.send(topic, 0, "a", "packed");
        ConsumerRecord<byte[], byte[]> record = new ConsumerRecord<>(
                topic,
                0,
                0,
                ConsumerRecord.NO_TIMESTAMP,
                TimestampType.CREATE_TIME,
                1,
                6,
                "a".getBytes(UTF_8),
                "unpacked".getBytes(UTF_8),
                new RecordHeaders(),
                Optional.empty());
        try (RecordReread reread = RecordReread.of(Broker.consumer("classic"))) {
            Payload payload = KafkaRecords.<byte[], byte[]>reader(reread).payload(record);

            assertThat(payload.origin()).isEqualTo(Payload.Origin.REREAD);
            assertThat(payload.value()).asString(UTF_8).isEqualTo("packed");
        }
    }

    @Test
    @Tag("rule-5.10")
    void givesUpWhenKafkaDoesNotAnswerAndSaysSo() {
        MockConsumer<byte[], byte[]> consumer = new MockConsumer<>("none");
        consumer.setPollException(new TimeoutException("scripted"));
        RecordReread reread = new RecordReread(() -> consumer, Duration.ZERO);

        try (LogCapture logs = new LogCapture()) {
            assertThat(reread.read(at("orders", 8, ConsumerRecord.NO_TIMESTAMP)))
                    .isEmpty();
            assertThat(reread.read(at("orders", 8, ConsumerRecord.NO_TIMESTAMP)))
                    .isEmpty();
            assertThat(logs.warnings()).hasSize(2).allMatch(line -> line.contains("orders-0@8"));
            assertThat(logs.warnings().get(0)).contains("scripted");
            assertThat(logs.warnings().get(1)).contains("nothing came");
        }
        reread.close();
        assertThat(consumer.closed()).isTrue();
        assertThat(consumer.assignment()).isEqualTo(Set.of(ORDERS));
    }

    /** A handler may consume what it read elsewhere, from a topic of the same name. */
    @Test
    @Tag("rule-5.1")
    void readsForALoopOnlyWhatThatLoopPolled() {
        ConsumerRecord<String, String> polled = new ConsumerRecord<>("orders", 0, 8, "k", "v");
        ConsumerRecord<String, String> foreign = new ConsumerRecord<>("orders", 0, 8, "k", "w");
        RecordReread reread = new RecordReread(() -> new MockConsumer<>("none"), Duration.ZERO);

        reread.during(new ConsumerRecords<>(Map.of(ORDERS, List.of(polled)), Map.of()), () -> {
            assertThat(RecordReread.ofLoop(polled)).contains(reread);
            assertThat(RecordReread.ofLoop(foreign)).isEmpty();
        });
        assertThat(RecordReread.ofLoop(polled)).isEmpty();
    }

    @Test
    void takesTheBytesThatAreThereAndDoesNotAskKafka() {
        ConsumerRecord<byte[], byte @Nullable []> record =
                new ConsumerRecord<>("orders", 0, 1, "k".getBytes(UTF_8), null);

        Payload payload = KafkaRecords.<byte[], byte @Nullable []>reader().payload(record);

        assertThat(payload.origin()).isEqualTo(Payload.Origin.RAW);
        assertThat(payload.key()).asString(UTF_8).isEqualTo("k");
        assertThat(payload.value()).isNull();
    }
}
