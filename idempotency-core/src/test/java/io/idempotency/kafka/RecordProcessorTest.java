package io.idempotency.kafka;

import static io.idempotency.kafka.ScriptedConsumer.P0;
import static io.idempotency.kafka.ScriptedConsumer.P1;
import static io.idempotency.kafka.ScriptedConsumer.TOPIC;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.IdempotentConsumer;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Position;
import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a processor does with settled and unsettled records, their positions and back-offs. */
class RecordProcessorTest {

    private final AtomicLong nanos = new AtomicLong();
    private final ScriptedBound flow = new ScriptedBound();
    private final RecordProcessor<String, String> processor =
            new RecordProcessor<>(flow, MessageIds.defaults(), nanos::get);
    private final ScriptedConsumer consumer = new ScriptedConsumer(P0, P1);

    @Test
    void commitsBehindWhatIsSettled() {
        consumer.records(P0, 0, 3);
        consumer.records(P1, 5, 1);
        poll();

        assertThat(consumer.committed(P0)).isEqualTo(3);
        assertThat(consumer.committed(P1)).isEqualTo(6);
        assertThat(flow.handled).hasSize(4);
    }

    @Test
    @Tag("rule-5.6")
    @Tag("rule-7.5")
    void standsStillWhereWhatIsThrownCannotBePrinted() {
        consumer.records(P0, 0, 1);
        consumer.records(P1, 0, 1);
        flow.throwing.put(P0, new AssertionError() {
            @Override
            public String getMessage() {
                throw new IllegalStateException("no message");
            }
        });
        try (LogCapture logs = new LogCapture()) {
            poll();

            assertThat(logs.errors()).singleElement().asString().contains("[orders-0] stand still");
            assertThat(logs.traces()).last().asString().contains("its text cannot be read");
        }
        assertThat(consumer.paused()).containsExactly(P0);
        assertThat(consumer.committed(P1)).isEqualTo(1);
    }

    @Test
    @Tag("rule-5.3")
    void commitsThePositionThatThePollReports() {
        processor.process(consumer, polled(P0, 17, 0, 1, 2));

        assertThat(consumer.committed(P0)).isEqualTo(17);
    }

    @Test
    @Tag("rule-5.3")
    void commitsAPositionThatMovedOverTransactionMarkersOnly() {
        processor.process(consumer, new ConsumerRecords<>(Map.of(), Map.of(P1, new OffsetAndMetadata(9))));

        assertThat(consumer.committed(P1)).isEqualTo(9);
    }

    /** It was taken away, another member settled its record, and it came back between two polls. Found by the simulation. */
    @Test
    @Tag("rule-5.3")
    void commitsAPositionBehindTransactionMarkersAlsoInAPartitionThatWaitedBefore() {
        consumer.records(P1, 0, 1);
        fail(P1, 0, Duration.ofMinutes(1));
        poll();

        processor.process(consumer, new ConsumerRecords<>(Map.of(), Map.of(P1, new OffsetAndMetadata(9))));

        assertThat(consumer.committed(P1)).isEqualTo(9);
    }

    @Test
    void goesBackToTheFirstUnsettledRecordAndCommitsUpToIt() {
        consumer.records(P0, 0, 5);
        fail(P0, 2, Duration.ZERO);
        poll();

        assertThat(consumer.committed(P0)).isEqualTo(2);
        assertThat(consumer.position(P0)).isEqualTo(2);
        assertThat(consumer.paused()).isEmpty();
    }

    @Test
    void handlesTheRecordsBehindAFailureAgainInOrder() {
        consumer.records(P0, 0, 4);
        fail(P0, 1, Duration.ofSeconds(1));
        poll();
        flow.failing.clear();
        passTime(Duration.ofSeconds(1));
        poll();
        poll();

        assertThat(flow.handled).containsExactly(at(P0, 0), at(P0, 1), at(P0, 2), at(P0, 3));
        assertThat(consumer.committed(P0)).isEqualTo(4);
    }

    @Test
    void letsOtherPartitionsGoOnWhileOneIsInBackOff() {
        consumer.records(P0, 0, 2);
        consumer.records(P1, 0, 1);
        fail(P0, 0, Duration.ofMinutes(1));
        poll();
        consumer.records(P1, 1, 1);
        poll();

        assertThat(flow.handled).containsExactly(at(P1, 0), at(P1, 1));
        assertThat(consumer.committed(P1)).isEqualTo(2);
        assertThat(consumer.paused()).containsExactly(P0);
    }

    @Test
    @Tag("rule-5.4")
    void resumesWithAnEmptyPollWhenTheBackOffIsOver() {
        consumer.records(P0, 0, 1);
        fail(P0, 0, Duration.ofSeconds(5));
        poll();
        passTime(Duration.ofSeconds(4));
        processor.process(consumer, ConsumerRecords.empty());
        assertThat(consumer.paused()).containsExactly(P0);
        passTime(Duration.ofSeconds(1));
        processor.process(consumer, ConsumerRecords.empty());

        assertThat(consumer.paused()).isEmpty();
    }

    @Test
    void doesNotResumeWhatTheCallerPaused() {
        consumer.records(P0, 0, 1);
        fail(P0, 0, Duration.ofSeconds(5));
        flow.beforeConsume = () -> consumer.pause(Set.of(P0, P1));
        poll();
        passTime(Duration.ofSeconds(5));
        processor.process(consumer, ConsumerRecords.empty());

        assertThat(consumer.paused()).containsExactlyInAnyOrder(P0, P1);
    }

    @Test
    void shortensTheTimeoutOfThePollToTheNextBackOff() {
        consumer.records(P0, 0, 1);
        fail(P0, 0, Duration.ofMillis(300));
        assertThat(processor.timeout(Duration.ofSeconds(1))).isEqualTo(Duration.ofSeconds(1));
        poll();
        passTime(Duration.ofMillis(100));

        assertThat(processor.timeout(Duration.ofSeconds(1))).isEqualTo(Duration.ofMillis(200));
        assertThat(processor.timeout(Duration.ofMillis(50))).isEqualTo(Duration.ofMillis(50));
    }

    @Test
    void doesNotHandleRecordsOfAPartitionThatLostItsPauseInARebalance() {
        consumer.records(P0, 0, 2);
        fail(P0, 1, Duration.ofSeconds(5));
        poll();
        flow.failing.clear();
        consumer.reassign();
        consumer.reassign(P0, P1);
        assertThat(consumer.paused()).isEmpty();
        passTime(Duration.ofSeconds(1));
        poll();

        assertThat(flow.handled).containsExactly(at(P0, 0));
        assertThat(consumer.paused()).containsExactly(P0);
        assertThat(consumer.position(P0)).isEqualTo(1);
        passTime(Duration.ofSeconds(4));
        poll();
        poll();
        assertThat(flow.handled).containsExactly(at(P0, 0), at(P0, 1));
    }

    @Test
    void doesNotHandleRecordsOfAPartitionThatWasTakenAway() {
        ConsumerRecords<String, String> polled = polled(P1, 1, 0);
        consumer.reassign(P0);
        processor.process(consumer, polled);

        assertThat(flow.handled).isEmpty();
        assertThat(consumer.commits).isEmpty();
    }

    @Test
    @Tag("rule-7.8")
    void tellsOfPartitionsThatAreGoneAndNotOfThoseThatCameBackAtOnce() {
        processor.process(consumer, ConsumerRecords.empty());
        consumer.reassign();
        consumer.reassign(P0, P1);
        processor.process(consumer, ConsumerRecords.empty());
        assertThat(flow.revoked).isEmpty();
        consumer.reassign(P1);
        processor.process(consumer, ConsumerRecords.empty());

        assertThat(flow.revoked).containsExactly(P0);
    }

    @Test
    void forgetsABackOffWhenThePartitionIsTakenAway() {
        consumer.records(P0, 0, 1);
        fail(P0, 0, Duration.ofHours(1));
        poll();
        consumer.reassign(P1);
        processor.process(consumer, ConsumerRecords.empty());
        consumer.reassign(P0, P1);
        flow.failing.clear();
        poll();

        assertThat(flow.handled).containsExactly(at(P0, 0));
    }

    @Test
    @Tag("rule-1.5")
    void refusesToRunInsideATransactionAndGoesBack() {
        consumer.records(P0, 0, 3);
        flow.isTransactionActive = true;

        assertThatThrownBy(this::poll).isInstanceOf(IdempotencyException.class).hasMessageContaining("transaction");

        assertThat(flow.handled).isEmpty();
        assertThat(consumer.position(P0)).isZero();
        assertThat(consumer.commits).isEmpty();
    }

    @Test
    void goesBackEverywhereBeforeAnErrorLeaves() {
        consumer.records(P0, 0, 3);
        consumer.records(P1, 0, 3);
        flow.error = new OutOfMemoryError("scripted");

        assertThatThrownBy(this::poll).isSameAs(flow.error);

        // What a close() with auto-commit would commit now:
        consumer.commitSync();
        assertThat(consumer.committed(P0)).isZero();
        assertThat(consumer.committed(P1)).isZero();
    }

    @Test
    void letsEveryPartitionWaitWhenTheStoreFailsTransiently() {
        consumer.records(P0, 0, 3);
        flow.beforeConsume = () -> {
            throw new TransientStoreException("scripted");
        };
        poll();

        assertThat(consumer.position(P0)).isZero();
        assertThat(consumer.paused()).containsExactly(P0);
    }

    @Test
    @Tag("rule-5.6")
    void letsOnlyThePartitionStandStillWhoseRecordsMakeTheConsumerThrow() {
        consumer.records(P0, 0, 3);
        consumer.records(P1, 0, 1);
        flow.throwing.put(P0, new AssertionError("of a listener"));
        poll();

        assertThat(flow.handled).containsExactly(at(P1, 0));
        assertThat(consumer.committed(P1)).isEqualTo(1);
        assertThat(consumer.position(P0)).isZero();
        assertThat(consumer.paused()).containsExactly(P0);

        flow.throwing.clear();
        passTime(IdempotentConsumer.STAND_STILL);
        poll();
        poll();
        assertThat(consumer.committed(P0)).isEqualTo(3);
    }

    @Test
    @Tag("rule-5.7")
    void commitsTheLeaderEpochWithEveryOffset() {
        fail(P0, 2, Duration.ofSeconds(1));
        processor.process(consumer, new ConsumerRecords<>(Map.of(P0, ofEpoch(P0, 7, 1, 2, 3)), Map.of()));
        processor.process(consumer, new ConsumerRecords<>(Map.of(P1, ofEpoch(P1, 8, 4, 5)), Map.of()));

        assertThat(consumer.commits)
                .containsOnly(
                        Map.of(P0, offset(1, 7)),
                        Map.of(P0, offset(2, 7)),
                        Map.of(P1, offset(4, 8)),
                        Map.of(P1, offset(6, 8)));
        assertThat(consumer.seeks).containsExactly(offset(2, 7));
    }

    @Test
    @Tag("rule-5.2")
    void commitsTheFirstOffsetBeforeItsRecordIsHandled() {
        consumer.records(P0, 7, 1);
        consumer.records(P1, 8, 1);
        flow.beforeConsume = () -> {
            assertThat(consumer.committed(P0)).isEqualTo(7);
            assertThat(consumer.committed(P1)).isEqualTo(8);
        };
        poll();

        assertThat(flow.handled).hasSize(2);
        assertThat(consumer.lookUps).containsExactly(Set.of(P0, P1));
    }

    @Test
    void asksOnlyOnceForCommittedOffsetsWhileAPartitionIsAssigned() {
        consumer.records(P0, 0, 1);
        poll();
        consumer.records(P0, 1, 1);
        poll();
        assertThat(consumer.lookUps).hasSize(1);

        consumer.reassign(P1);
        processor.process(consumer, ConsumerRecords.empty());
        consumer.reassign(P0, P1);
        consumer.records(P0, 2, 1);
        poll();

        assertThat(consumer.lookUps).hasSize(2);
    }

    @Test
    void keepsACommittedOffsetThatIsThere() {
        consumer.commitSync(Map.of(P0, new OffsetAndMetadata(3)));
        consumer.commits.clear();
        consumer.records(P0, 3, 1);
        poll();

        assertThat(consumer.commits).containsExactly(Map.of(P0, new OffsetAndMetadata(4)));
    }

    private static List<ConsumerRecord<String, String>> ofEpoch(TopicPartition partition, int epoch, long... offsets) {
        return Arrays.stream(offsets)
                .mapToObj(offset -> new ConsumerRecord<>(
                        partition.topic(),
                        partition.partition(),
                        offset,
                        0,
                        TimestampType.CREATE_TIME,
                        1,
                        1,
                        "k",
                        "v",
                        new RecordHeaders(),
                        Optional.of(epoch)))
                .toList();
    }

    private static OffsetAndMetadata offset(long offset, int epoch) {
        return new OffsetAndMetadata(offset, Optional.of(epoch), "");
    }

    private void poll() {
        processor.process(consumer, consumer.poll(Duration.ZERO));
    }

    private void fail(TopicPartition partition, long offset, Duration retryAfter) {
        flow.failing.put(at(partition, offset), retryAfter);
    }

    private void passTime(Duration time) {
        nanos.addAndGet(time.toNanos());
    }

    private static Position at(TopicPartition partition, long offset) {
        return new Position(TOPIC, partition.partition(), offset);
    }

    private static ConsumerRecords<String, String> polled(TopicPartition partition, long next, long... offsets) {
        List<ConsumerRecord<String, String>> records = Arrays.stream(offsets)
                .mapToObj(offset -> new ConsumerRecord<>(partition.topic(), partition.partition(), offset, "k", "v"))
                .toList();
        return new ConsumerRecords<>(Map.of(partition, records), Map.of(partition, new OffsetAndMetadata(next)));
    }
}
