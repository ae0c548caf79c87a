package io.idempotency.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.idempotency.BatchHandler;
import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.memory.MemoryQuarantine;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Batches of several polls. */
class GatheringTest {

    private static final TopicPartition P0 = new TopicPartition("orders", 0);
    private static final TopicPartition P1 = new TopicPartition("orders", 1);

    private final AtomicLong now = new AtomicLong();
    private final Gathering<String, String> gathering = new Gathering<>(5, Duration.ofSeconds(1), now::get);
    private final Loops loops = new Loops();

    @AfterEach
    void closeAll() {
        loops.close();
    }

    private static ConsumerRecords<String, String> polled(TopicPartition partition, long from, long to) {
        List<ConsumerRecord<String, String>> records = new ArrayList<>();
        for (long offset = from; offset < to; offset++) {
            records.add(new ConsumerRecord<>(partition.topic(), partition.partition(), offset, "k", "v"));
        }
        return new ConsumerRecords<>(
                records.isEmpty() ? Map.of() : Map.of(partition, records),
                Map.of(partition, new OffsetAndMetadata(to)));
    }

    private static List<String> offsets(ConsumerRecords<String, String> records) {
        return StreamSupport.stream(records.spliterator(), false)
                .map(record -> record.partition() + "@" + record.offset())
                .toList();
    }

    @Test
    void isCompleteWithEnoughRecords() {
        assertThat(gathering.add(polled(P0, 0, 3))).isEmpty();
        ConsumerRecords<String, String> batch = gathering.add(polled(P1, 7, 9));
        assertThat(offsets(batch)).containsExactly("0@0", "0@1", "0@2", "1@7", "1@8");
        assertThat(batch.nextOffsets())
                .containsOnly(Map.entry(P0, new OffsetAndMetadata(3)), Map.entry(P1, new OffsetAndMetadata(9)));
        assertThat(gathering.isEmpty()).isTrue();
    }

    @Test
    void isCompleteWhenTimeIsOverAndWaitsNoLongerThanThat() {
        assertThat(gathering.timeout(Duration.ofSeconds(9))).isEqualTo(Duration.ofSeconds(9));
        assertThat(gathering.add(polled(P0, 0, 3))).isEmpty();
        now.addAndGet(Duration.ofMillis(600).toNanos());
        assertThat(gathering.add(polled(P0, 3, 4))).isEmpty();
        assertThat(gathering.timeout(Duration.ofSeconds(9))).isEqualTo(Duration.ofMillis(400));
        now.addAndGet(Duration.ofMillis(400).toNanos());
        assertThat(offsets(gathering.add(polled(P0, 4, 4)))).hasSize(4);
    }

    /** The search for a message that failed must not wait for large batches. */
    @Test
    void handsOverEachPollWhileItIsUrgent() {
        gathering.urgent(true);
        assertThat(offsets(gathering.add(polled(P0, 0, 1)))).hasSize(1);
        assertThat(offsets(gathering.add(polled(P0, 1, 2)))).hasSize(1);
        gathering.urgent(false);
        assertThat(gathering.add(polled(P0, 2, 3))).isEmpty();
    }

    /** Or the lag behind transaction markers would never reach 0. */
    @Test
    void passesOnAPollWithoutRecordsWhileItHasNone() {
        ConsumerRecords<String, String> markers = polled(P0, 4, 4);
        assertThat(gathering.add(markers)).isSameAs(markers);
    }

    @Test
    @Tag("rule-13.6")
    void dropsWhatIsGivenUpAndWhatComesAgain() {
        gathering.add(polled(P0, 0, 2));
        gathering.add(polled(P1, 0, 2));
        gathering.drop(List.of(P1));
        assertThat(gathering.add(polled(P0, 1, 3))).isEmpty();
        assertThat(gathering.dropAll()).containsExactly(Map.entry(P0, new OffsetAndMetadata(1, Optional.empty(), "")));
        assertThat(gathering.isEmpty()).isTrue();
    }

    private void start(
            Map<String, Object> properties,
            String topic,
            int most,
            Duration time,
            BatchHandler<ConsumerRecord<String, String>> handler) {
        IdempotentConsumer<ConsumerRecord<String, String>> consumer = KafkaRecords.<String, String>consumer("billing")
                .store(loops.store)
                .quarantine(new MemoryQuarantine(loops.store))
                .failures(FailurePolicy.quarantineAfter(2))
                .chunk(most, Duration.ofSeconds(30))
                .build();
        loops.start(PollLoop.of(RecordProcessor.batches(consumer, handler))
                .properties(properties)
                .topics(topic)
                .gather(most, time)
                .pollTimeout(Duration.ofMillis(100))
                .build());
    }

    @ParameterizedTest
    @ValueSource(strings = {"classic", "consumer"})
    void handsOverBatchesOfSeveralPollsAndTheRestWhenTimeIsOver(String protocol) {
        String topic = Broker.topic(1);
        Map<String, Object> properties = Broker.consumer(protocol);
        properties.put("max.poll.records", "10");
        IntStream.range(0, 250).forEach(i -> Broker.send(topic, 0, "m" + i, "v" + i));
        List<Integer> sizes = new CopyOnWriteArrayList<>();

        start(properties, topic, 100, Duration.ofSeconds(2), (records, claims) -> sizes.add(records.size()));

        await().untilAsserted(
                        () -> assertThat(Broker.committed(properties, topic, 0)).contains(250L));
        assertThat(sizes).containsExactly(100, 100, 50);
    }

    /** The records before it were gathered, and come first. */
    @Test
    @Tag("rule-5.1")
    void handlesTheRecordsBeforeOneThatCannotBeReadBeforeThatOne() {
        String topic = Broker.topic(1);
        Map<String, Object> properties = Broker.consumer("classic");
        properties.put("max.poll.records", "2");
        properties.put("value.deserializer", PollLoopTest.FourBytes.class);
        for (String value : List.of("aaaa", "bbbb", "cccc", "bad", "dddd")) {
            Broker.send(topic, 0, value, value);
        }
        List<String> handled = new CopyOnWriteArrayList<>();

        start(
                properties,
                topic,
                1000,
                Duration.ofSeconds(3),
                (records, claims) -> records.forEach(
                        record -> handled.add(new String(record.value().getBytes(UTF_8), UTF_8))));

        await().untilAsserted(
                        () -> assertThat(Broker.committed(properties, topic, 0)).contains(5L));
        assertThat(handled).containsExactly("aaaa", "bbbb", "cccc", "dddd");
    }

    @Test
    void refusesABatchThatDoesNotFit() {
        IdempotentConsumer<ConsumerRecord<String, String>> consumer = KafkaRecords.<String, String>consumer("billing")
                .store(loops.store)
                .build();
        PollLoopBuilder<String, String> loop = PollLoop.of(consumer, (record, claim) -> {})
                .properties(Broker.consumer("classic"))
                .topics("orders");
        assertThatThrownBy(loop.gather(50_000, Duration.ofSeconds(5))::build).hasMessageContaining("chunk(50000, ..)");
        assertThatThrownBy(loop.gather(500, Duration.ofSeconds(5))::build).hasMessageContaining("max.poll.records");
        assertThatThrownBy(loop.gather(50_000, Duration.ZERO)::build).hasMessageContaining("positive time");
    }
}
