package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.kafka.KafkaException;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.KafkaMessageListenerContainer;
import org.springframework.kafka.listener.ListenerExecutionFailedException;
import org.springframework.kafka.listener.MessageListenerContainer;

/** An error handler of the application's own that neither seeks nor knows of polls. */
@Tag("rule-1.9")
class PolledAgainTest {

    private static final TopicPartition P0 = new TopicPartition("t", 0);
    private static final TopicPartition P1 = new TopicPartition("t", 1);

    private final MockConsumer<Object, Object> consumer = new MockConsumer<>("earliest");
    private final MessageListenerContainer container = new KafkaMessageListenerContainer<>(
            new DefaultKafkaConsumerFactory<>(Map.of()), new ContainerProperties("t"));
    private final List<Exception> told = new ArrayList<>();
    private final List<Long> given = new ArrayList<>();
    private final ConsumerRecords<Object, Object> polled;

    private PolledAgainTest() {
        Map<TopicPartition, List<ConsumerRecord<Object, Object>>> records = new LinkedHashMap<>();
        records.put(P0, List.of(record(P0, 5), record(P0, 6), record(P0, 7)));
        records.put(P1, List.of(record(P1, 3)));
        polled = new ConsumerRecords<>(records, Map.of());
    }

    private static ConsumerRecord<Object, Object> record(TopicPartition partition, long offset) {
        return new ConsumerRecord<>(partition.topic(), partition.partition(), offset, "key", "value");
    }

    @BeforeEach
    void poll() {
        consumer.assign(List.of(P0, P1));
        consumer.seek(P0, 8);
        consumer.seek(P1, 4);
    }

    private CommonErrorHandler handler(boolean isDone) {
        return new CommonErrorHandler() {
            @Override
            public boolean handleOne(
                    Exception thrown, ConsumerRecord<?, ?> record, Consumer<?, ?> by, MessageListenerContainer of) {
                told.add(thrown);
                return isDone;
            }

            @Override
            public <K, V> ConsumerRecords<K, V> handleBatchAndReturnRemaining(
                    Exception thrown,
                    ConsumerRecords<?, ?> records,
                    Consumer<?, ?> by,
                    MessageListenerContainer of,
                    Runnable again) {
                told.add(thrown);
                records.forEach(record -> given.add(record.offset()));
                @SuppressWarnings("unchecked")
                ConsumerRecords<K, V> all = (ConsumerRecords<K, V>) records;
                return isDone ? ConsumerRecords.empty() : all;
            }
        };
    }

    /** Returns what a container makes of what a listener threw at the second record. */
    private Exception failure() {
        return new ListenerExecutionFailedException(
                "Listener failed",
                "group",
                LeftRecordsException.at("failed at", new IllegalStateException("bad"), all(), List.of(1, 3)));
    }

    private List<ConsumerRecord<?, ?>> all() {
        List<ConsumerRecord<?, ?>> all = new ArrayList<>();
        polled.forEach(all::add);
        return all;
    }

    private long committed(TopicPartition partition) {
        var offset = consumer.committed(java.util.Set.of(partition)).get(partition);
        return offset == null ? -1 : offset.offset();
    }

    @Test
    void bringsNewObjectsOfARecordThatIsToBeTriedAgain() {
        assertThatThrownBy(() -> new PolledAgain(handler(false), consumer, container).afterRecord(failure(), all()))
                .isInstanceOf(KafkaException.class);

        assertThat(consumer.position(P0)).isEqualTo(5);
        assertThat(consumer.position(P1)).isEqualTo(3);
    }

    @Test
    void bringsNewObjectsOfWhatStandsBehindARecordThatIsDoneWith() {
        new PolledAgain(handler(true), consumer, container).afterRecord(failure(), all());

        assertThat(consumer.position(P0)).isEqualTo(6);
        assertThat(consumer.position(P1)).isEqualTo(3);
    }

    @Test
    @Tag("rule-1.13")
    void tellsOfARecordOfAPollAsIfItCameAlone() {
        assertThatThrownBy(() -> new PolledAgain(handler(false), consumer, container).afterPoll(failure(), polled))
                .isInstanceOf(KafkaException.class);

        assertThat(committed(P0)).isEqualTo(6);
        assertThat(consumer.position(P0)).isEqualTo(6);
        assertThat(consumer.position(P1)).isEqualTo(3);
        assertThat(told)
                .singleElement()
                .satisfies(thrown -> assertThat(thrown)
                        .isInstanceOf(ListenerExecutionFailedException.class)
                        .hasMessage("failed at t-0@6")
                        .cause()
                        .hasMessage("bad"));
    }

    @Test
    void bringsAllAgainWhereNoRecordIsNamed() {
        Exception nameless = new IllegalStateException("an interceptor failed");

        assertThatThrownBy(() -> new PolledAgain(handler(true), consumer, container).afterPoll(nameless, polled))
                .isInstanceOf(KafkaException.class)
                .hasCause(nameless);

        assertThat(told).isEmpty();
        assertThat(consumer.position(P0)).isEqualTo(5);
        assertThat(consumer.position(P1)).isEqualTo(3);
    }

    @Test
    void losesNothingBehindARecordOfAPollThatIsDoneWith() {
        assertThatThrownBy(() -> new PolledAgain(handler(true), consumer, container).afterPoll(failure(), polled))
                .isInstanceOf(KafkaException.class);

        assertThat(committed(P0)).isEqualTo(7);
        assertThat(committed(P1)).isEqualTo(-1);
        assertThat(consumer.position(P0)).isEqualTo(7);
        assertThat(consumer.position(P1)).isEqualTo(3);
    }

    @Test
    void bringsNothingAgainThatIsSettledInOtherPartitions() {
        Exception left = LeftRecordsException.at("failed at", new IllegalStateException("bad"), all(), List.of(1));

        assertThatThrownBy(() -> new PolledAgain(handler(false), consumer, container).afterPoll(left, polled))
                .isInstanceOf(KafkaException.class);

        assertThat(consumer.position(P0)).isEqualTo(6);
        assertThat(committed(P0)).isEqualTo(6);
        assertThat(consumer.position(P1)).isEqualTo(4);
        assertThat(committed(P1)).isEqualTo(4);
    }

    @Test
    @Tag("rule-1.13")
    void givesAHandlerOfBatchesOnlyTheRecordThatFailed() {
        assertThatThrownBy(() ->
                        new PolledAgain(handler(false), consumer, container).afterBatch(failure(), polled, () -> {}))
                .isInstanceOf(KafkaException.class);

        assertThat(given).containsExactly(6L);
        assertThat(committed(P0)).isEqualTo(6);
        assertThat(committed(P1)).isEqualTo(-1);
        assertThat(consumer.position(P0)).isEqualTo(6);
        assertThat(consumer.position(P1)).isEqualTo(3);

        assertThatThrownBy(() ->
                        new PolledAgain(handler(true), consumer, container).afterBatch(failure(), polled, () -> {}))
                .isInstanceOf(KafkaException.class);

        assertThat(committed(P0)).isEqualTo(7);
        assertThat(consumer.position(P0)).isEqualTo(7);
        assertThat(consumer.position(P1)).isEqualTo(3);
    }

    @Test
    @Tag("rule-1.13")
    void passesOverNothingOfABatchIfOffsetsCannotBeCommitted() {
        MockConsumer<Object, Object> refusing = new MockConsumer<>("earliest") {
            @Override
            public synchronized void commitSync(Map<TopicPartition, OffsetAndMetadata> offsets, Duration timeout) {
                throw new CommitFailedException("rebalanced");
            }
        };
        refusing.assign(List.of(P0, P1));
        refusing.seek(P0, 8);
        refusing.seek(P1, 4);

        assertThatThrownBy(() ->
                        new PolledAgain(handler(true), refusing, container).afterBatch(failure(), polled, () -> {}))
                .isInstanceOf(CommitFailedException.class);

        assertThat(given).containsExactly(6L);
        assertThat(refusing.position(P0)).isEqualTo(7);
        assertThat(refusing.position(P1)).isEqualTo(3);
    }
}
