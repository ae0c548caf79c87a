package io.idempotency.kafka;

import static io.idempotency.kafka.ScriptedConsumer.P0;
import static io.idempotency.kafka.ScriptedConsumer.P1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.BatchHandler;
import io.idempotency.Consumption;
import io.idempotency.IdempotentConsumer;
import io.idempotency.MessageHandler;
import io.idempotency.Outcome;
import io.idempotency.memory.MemoryStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Poll loops with a shadow consumer: exceptions of the handler leave, and offsets are those of handled records. */
class ShadowLoopTest {

    private final List<String> handled = Collections.synchronizedList(new ArrayList<>());
    private final Set<String> failing = ConcurrentHashMap.newKeySet();
    private final List<Consumption> events = Collections.synchronizedList(new ArrayList<>());
    private final MemoryStore store = MemoryStore.create();
    private final ScriptedConsumer kafka = new ScriptedConsumer(P0, P1);

    private IdempotentConsumer<ConsumerRecord<String, String>> consumer(boolean isShadow) {
        var builder = KafkaRecords.<String, String>consumer("billing")
                .messageId(MessageIds.record(ShadowLoopTest::at))
                .store(store)
                .listener(events::add);
        return (isShadow ? builder.shadow() : builder).build();
    }

    private static String at(ConsumerRecord<?, ?> record) {
        return record.topic() + "-" + record.partition() + "@" + record.offset();
    }

    private final MessageHandler<ConsumerRecord<String, String>> handler = (record, claim) -> {
        handled.add(at(record));
        if (failing.contains(at(record))) {
            throw new IOException("no " + at(record));
        }
    };

    @Test
    @Tag("rule-5.21")
    void theExceptionLeavesAndEachPartitionIsBackAtItsFirstUnhandledRecord() {
        failing.add("orders-0@1");
        RecordProcessor<String, String> processor = RecordProcessor.of(consumer(true), handler);
        kafka.records(P0, 0, 3);
        kafka.records(P1, 5, 2);

        assertThatThrownBy(() -> processor.process(kafka, kafka.poll(Duration.ZERO)))
                .isInstanceOf(IOException.class)
                .hasMessage("no orders-0@1");

        assertThat(handled).containsExactlyInAnyOrder("orders-0@0", "orders-0@1", "orders-1@5", "orders-1@6");
        assertThat(kafka.position(P0)).isEqualTo(1);
        assertThat(kafka.committed(P0)).isEqualTo(1);
        assertThat(kafka.committed(P1)).isEqualTo(7);
        assertThat(kafka.paused()).isEmpty();
    }

    @Test
    @Tag("rule-5.21")
    void aBatchThatFailsIsPolledAgainAsAWhole() {
        BatchHandler<ConsumerRecord<String, String>> batches = (records, claims) -> {
            records.forEach(record -> handled.add(at(record)));
            if (!failing.isEmpty()) {
                throw new IOException("no");
            }
        };
        RecordProcessor<String, String> processor = RecordProcessor.batches(consumer(true), batches);
        failing.add("all");
        kafka.records(P0, 0, 3);
        assertThatThrownBy(() -> processor.process(kafka, kafka.poll(Duration.ZERO)))
                .isInstanceOf(IOException.class);
        assertThat(kafka.position(P0)).isZero();
        failing.clear();

        processor.process(kafka, kafka.poll(Duration.ZERO));

        assertThat(handled).hasSize(6);
        assertThat(kafka.committed(P0)).isEqualTo(3);
    }

    @Test
    @Tag("rule-5.21")
    void aRecordThatCannotBeDeserializedLeavesToo() {
        RecordProcessor<String, String> processor = RecordProcessor.of(consumer(true), handler);
        RecordDeserializationException failure = new RecordDeserializationException(
                RecordDeserializationException.DeserializationExceptionOrigin.VALUE,
                new TopicPartition("orders", 0),
                4,
                0,
                TimestampType.CREATE_TIME,
                ByteBuffer.allocate(0),
                ByteBuffer.allocate(0),
                new RecordHeaders(),
                "no",
                new IOException("no"));

        assertThatThrownBy(() -> processor.reject(kafka, failure)).isSameAs(failure);
        assertThat(kafka.position(P0)).isEqualTo(4);
    }

    @Test
    @Tag("rule-5.21")
    void theLoopGoesOnAndTheFirstRealRunSkipsWhatItHandled() {
        String topic = Broker.topic(2);
        Map<String, Object> properties = Broker.consumer("classic");
        Broker.send(topic, 0, "a", "1");
        Broker.send(topic, 1, "b", "2");
        Broker.send(topic, 0, "a", "3");
        Broker.send(topic, 1, "c", "4");
        failing.add(topic + "-1@1");
        try (Loops loops = new Loops()) {
            IdempotentConsumer<ConsumerRecord<String, String>> shadow = KafkaRecords.<String, String>consumer("billing")
                    .store(store)
                    .listener(events::add)
                    .shadow()
                    .build();
            PollLoop<String, String> loop = loops.start(properties, topic, RecordProcessor.of(shadow, handler));
            await(() -> Collections.frequency(handled, topic + "-1@1") > 1);
            failing.clear();
            await(() -> Broker.committed(properties, topic, 1).equals(java.util.Optional.of(2L)));
            loop.close();
            shadow.close();
        }
        assertThat(events)
                .extracting(Consumption::outcome)
                .containsExactlyInAnyOrder(Outcome.PROCESSED, Outcome.WOULD_SKIP, Outcome.PROCESSED, Outcome.PROCESSED);

        handled.clear();
        events.clear();
        try (Loops loops = new Loops()) {
            loops.start(
                    Broker.consumer("classic"),
                    topic,
                    RecordProcessor.of(
                            KafkaRecords.<String, String>consumer("billing")
                                    .store(store)
                                    .listener(events::add)
                                    .build(),
                            handler));
            await(() -> events.size() == 4);
        }
        assertThat(events).extracting(Consumption::outcome).containsOnly(Outcome.DUPLICATE);
        assertThat(handled).isEmpty();
    }

    private static void await(java.util.concurrent.Callable<Boolean> condition) {
        Awaitility.await().atMost(Duration.ofSeconds(30)).until(condition);
    }
}
