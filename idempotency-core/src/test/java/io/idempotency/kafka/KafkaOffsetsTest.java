package io.idempotency.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.idempotency.IdempotentConsumer;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The offsets that a broker sees. */
class KafkaOffsetsTest {

    private final Loops loops = new Loops();
    private final List<String> handled = new CopyOnWriteArrayList<>();

    @AfterEach
    void closeAll() {
        loops.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"classic", "consumer"})
    @Tag("rule-5.3")
    void leavesNoLagBehindATransactionalProducer(String protocol) {
        String topic = Broker.topic(1);
        Map<String, Object> properties = Broker.consumer(protocol);
        try (KafkaProducer<byte[], byte[]> producer = transactional(topic)) {
            sendTransaction(producer, topic, "a", true);
            sendTransaction(producer, topic, "b", false);
        }

        loops.start(properties, topic, (record, claim) -> handled.add(record.value()));

        // a, its marker, b, its marker
        await().untilAsserted(
                        () -> assertThat(Broker.committed(properties, topic, 0)).contains(4L));
        assertThat(handled).containsExactly("a");
    }

    @ParameterizedTest
    @ValueSource(strings = {"classic", "consumer"})
    @Tag("rule-5.2")
    void losesNothingInACrashDuringTheFirstBackOffAlthoughItBeginsAtTheEnd(String protocol) {
        String topic = Broker.topic(1);
        Map<String, Object> properties = Broker.consumer(protocol);
        properties.put("auto.offset.reset", "latest");
        properties.put("enable.auto.commit", "false");
        try (KafkaConsumer<String, String> crashing = new KafkaConsumer<>(properties)) {
            crashing.subscribe(List.of(topic));
            await().until(() -> {
                crashing.poll(Duration.ofMillis(50));
                return !crashing.assignment().isEmpty() && position(crashing, topic) == 0;
            });
            Broker.send(topic, 0, "a", "first");
            IdempotentConsumer<ConsumerRecord<String, String>> failing = KafkaRecords.<String, String>consumer(
                            "billing")
                    .store(loops.store)
                    .build();
            RecordProcessor<String, String> processor = RecordProcessor.of(failing, (record, claim) -> {
                handled.add("failed");
                throw new IllegalStateException("scripted");
            });
            await().until(() -> {
                processor.process(crashing, crashing.poll(Duration.ofMillis(50)));
                return !handled.isEmpty();
            });
        }
        handled.clear();
        loops.start(properties, topic, (record, claim) -> handled.add(record.value()));

        await().untilAsserted(() -> assertThat(handled).containsExactly("first"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"classic", "consumer"})
    void cannotCommitPastAnUnsettledRecordByAutoCommitAtTheClose(String protocol) {
        String topic = Broker.topic(1);
        Map<String, Object> properties = Broker.consumer(protocol);
        Map<String, Object> autoCommit = new HashMap<>(properties);
        autoCommit.put("enable.auto.commit", "true");
        for (int i = 0; i < 5; i++) {
            Broker.send(topic, 0, "a" + i, "a" + i);
        }
        IdempotentConsumer<ConsumerRecord<String, String>> billing = KafkaRecords.<String, String>consumer("billing")
                .store(loops.store)
                .build();
        RecordProcessor<String, String> processor = RecordProcessor.of(billing, (record, claim) -> {
            if (record.value().equals("a2")) {
                throw new OutOfMemoryError("scripted");
            }
        });
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(autoCommit)) {
            consumer.subscribe(List.of(topic));
            await().until(() -> {
                ConsumerRecords<String, String> polled = consumer.poll(Duration.ofMillis(50));
                try {
                    processor.process(consumer, polled);
                    return false;
                } catch (OutOfMemoryError error) {
                    return true;
                }
            });
        }

        assertThat(Broker.committed(properties, topic, 0).orElse(0L)).isLessThanOrEqualTo(2);
    }

    @Test
    @Tag("rule-5.5")
    void warnsWhenATopicKeepsRecordsLongerThanIdsAreRemembered() {
        String longer = Broker.topic(
                1, Map.of("retention.ms", String.valueOf(Duration.ofDays(9).toMillis())));
        String shorter = Broker.topic(1);
        String compacted = Broker.topic(1, Map.of("cleanup.policy", "compact"));
        try (LogCapture logs = new LogCapture()) {
            for (String topic : List.of(longer, shorter, compacted)) {
                loops.start(Broker.consumer("classic"), topic, (record, claim) -> {});
            }
            await().until(() ->
                    logs.all().stream().filter(line -> line.contains(" polls ")).count() == 3);
            assertThat(logs.warnings())
                    .filteredOn(line -> line.startsWith("Topic "))
                    .satisfiesExactlyInAnyOrder(
                            line -> assertThat(line).contains(longer).contains("216 h"),
                            line -> assertThat(line).contains(compacted).contains("for ever"));
        }
    }

    private static long position(KafkaConsumer<?, ?> consumer, String topic) {
        return consumer.position(new TopicPartition(topic, 0));
    }

    private static KafkaProducer<byte[], byte[]> transactional(String id) {
        KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", Broker.servers(), "transactional.id", id),
                new ByteArraySerializer(),
                new ByteArraySerializer());
        producer.initTransactions();
        return producer;
    }

    private static void sendTransaction(
            KafkaProducer<byte[], byte[]> producer, String topic, String value, boolean isCommitted) {
        producer.beginTransaction();
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, 0, null, Broker.bytes(value));
        record.headers().add("message-id", Broker.bytes(value));
        Broker.join(producer.send(record));
        if (isCommitted) {
            producer.commitTransaction();
        } else {
            producer.abortTransaction();
        }
    }
}
