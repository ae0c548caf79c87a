package io.idempotency.kafka;

import static io.idempotency.kafka.ScriptedConsumer.P0;
import static io.idempotency.kafka.ScriptedConsumer.P1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.store.Position;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownMemberIdException;
import org.apache.kafka.common.errors.WakeupException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a processor does when offsets cannot be read or committed. */
class OffsetsTest {

    private final AtomicLong nanos = new AtomicLong();
    private final ScriptedFlow flow = new ScriptedFlow();
    private final RecordProcessor<String, String> processor =
            new RecordProcessor<>(flow, MessageIds.defaults(), nanos::get);
    private final ScriptedConsumer consumer = new ScriptedConsumer(P0, P1);

    static Stream<RuntimeException> passing() {
        return Stream.of(
                new CommitFailedException(),
                new RebalanceInProgressException(),
                new TimeoutException(),
                new UnknownMemberIdException());
    }

    static Stream<RuntimeException> fatal() {
        return Stream.of(GroupAuthorizationException.forGroupId("billing"), new FencedInstanceIdException("scripted"));
    }

    @ParameterizedTest
    @MethodSource("passing")
    void makesUpForAFailedCommitWithTheNextCall(RuntimeException failure) {
        consumer.records(P0, 0, 3);
        settleFirstOffset();
        consumer.commitFailures.add(failure);
        poll();
        assertThat(consumer.committed(P0)).isZero();
        processor.process(consumer, ConsumerRecords.empty());

        assertThat(consumer.committed(P0)).isEqualTo(3);
        assertThat(flow.handled).hasSize(3);
    }

    /** The records that it got again are not handled yet, so what is settled has not gone back. */
    @Test
    void makesUpForAFailedCommitOfAPartitionThatWaitsAndWasAssignedAgain() {
        consumer.records(P0, 0, 3);
        settleFirstOffset();
        flow.failing.put(new Position("orders", 0, 2), Duration.ofMinutes(1));
        consumer.commitFailures.add(new RebalanceInProgressException());
        poll();
        consumer.reassign();
        consumer.reassign(P0, P1);
        assertThat(consumer.committed(P0)).isZero();
        poll();

        assertThat(consumer.committed(P0)).isEqualTo(2);
        assertThat(flow.handled).hasSize(2);
    }

    @ParameterizedTest
    @MethodSource("fatal")
    void letsAFatalCommitFailureLeaveAfterGoingBack(RuntimeException failure) {
        consumer.records(P0, 0, 3);
        settleFirstOffset();
        flow.failing.put(new Position("orders", 0, 1), Duration.ofSeconds(1));
        consumer.commitFailures.add(failure);

        assertThatThrownBy(this::poll).isSameAs(failure);

        assertThat(consumer.position(P0)).isEqualTo(1);
    }

    @Test
    void forgetsAFailedCommitWhenThePartitionIsTakenAway() {
        consumer.records(P0, 0, 3);
        settleFirstOffset();
        consumer.commitFailures.add(new CommitFailedException());
        poll();
        consumer.reassign(P1);
        processor.process(consumer, ConsumerRecords.empty());
        consumer.reassign(P0, P1);
        processor.process(consumer, ConsumerRecords.empty());

        assertThat(consumer.committed(P0)).isZero();
    }

    @Test
    void neverSetsBackWhatAnotherConsumerHasCommitted() {
        consumer.records(P0, 0, 3);
        settleFirstOffset();
        consumer.commitFailures.add(new CommitFailedException());
        poll();
        consumer.commitSync(Map.of(P0, new OffsetAndMetadata(10)));
        processor.process(consumer, ConsumerRecords.empty());

        assertThat(consumer.committed(P0)).isEqualTo(10);
    }

    @Test
    void triesAgainWhenTheLookUpOfAFailedCommitFails() {
        consumer.records(P0, 0, 3);
        settleFirstOffset();
        consumer.commitFailures.add(new CommitFailedException());
        poll();
        consumer.lookUpFailures.add(new TimeoutException());
        processor.process(consumer, ConsumerRecords.empty());
        assertThat(consumer.committed(P0)).isZero();
        processor.process(consumer, ConsumerRecords.empty());

        assertThat(consumer.committed(P0)).isEqualTo(3);
    }

    @Test
    void commitsInSpiteOfAWakeupAndLetsItLeave() {
        consumer.records(P0, 0, 3);
        settleFirstOffset();
        consumer.commitFailures.add(new WakeupException());

        assertThatThrownBy(this::poll).isInstanceOf(WakeupException.class);

        assertThat(consumer.committed(P0)).isEqualTo(3);
    }

    @Test
    void handlesNothingWhileItDoesNotKnowWhetherAnOffsetIsCommitted() {
        consumer.records(P0, 0, 3);
        consumer.lookUpFailures.add(new TimeoutException());
        poll();
        assertThat(flow.handled).isEmpty();
        assertThat(consumer.position(P0)).isZero();
        nanos.addAndGet(Duration.ofSeconds(1).toNanos());
        poll();
        poll();

        assertThat(flow.handled).hasSize(3);
    }

    @Test
    void handlesOtherPartitionsWhileTheFirstOffsetOfOneCannotBeCommitted() {
        consumer.records(P0, 0, 1);
        poll();
        consumer.records(P0, 1, 1);
        consumer.records(P1, 0, 1);
        consumer.commitFailures.add(new RebalanceInProgressException());
        poll();

        assertThat(flow.handled).containsExactly(new Position("orders", 0, 0), new Position("orders", 0, 1));
        assertThat(consumer.committed(P0)).isEqualTo(2);
    }

    @Test
    void goesBackBehindWhatIsSettledAfterAPollThatFailed() {
        consumer.records(P0, 0, 3);
        poll();
        consumer.seek(P0, 50);
        processor.rewind(consumer);

        assertThat(consumer.position(P0)).isEqualTo(3);
    }

    @Test
    void goesBackBehindWhatIsSettledButNotCommittedYet() {
        consumer.records(P0, 0, 3);
        settleFirstOffset();
        consumer.commitFailures.add(new CommitFailedException());
        poll();
        consumer.seek(P0, 50);
        processor.rewind(consumer);

        assertThat(consumer.position(P0)).isEqualTo(3);
    }

    @Test
    void commitsThePositionOfNewlyAssignedPartitions() {
        consumer.seek(P0, 4);
        processor.assigned(consumer, consumer.assignment());

        assertThat(consumer.committed(P0)).isEqualTo(4);
    }

    private void settleFirstOffset() {
        consumer.commitSync(Map.of(P0, new OffsetAndMetadata(0)));
    }

    private void poll() {
        processor.process(consumer, consumer.poll(Duration.ZERO));
    }
}
