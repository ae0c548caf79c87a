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
import org.apache.kafka.common.errors.StaleMemberEpochException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownMemberIdException;
import org.apache.kafka.common.errors.WakeupException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a processor does when offsets cannot be read or committed. */
class OffsetsTest {

    private final AtomicLong nanos = new AtomicLong();
    private final ScriptedBound flow = new ScriptedBound();
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
        consumer.commitFailures.add(new TimeoutException());
        poll();
        consumer.commitFailures.add(new WakeupException());

        assertThatThrownBy(() -> processor.finish(consumer)).isInstanceOf(WakeupException.class);

        assertThat(consumer.committed(P0)).isEqualTo(3);
    }

    @Test
    void waitsForNoCommitUntilTooManyHaveNoAnswer() {
        settleFirstOffset();
        consumer.isAnswerHeldBack = true;
        pollOneByOne(0, Offsets.MOST_UNDER_WAY);
        assertThat(consumer.waits).isOne(); // that of the first offset
        pollOneByOne(Offsets.MOST_UNDER_WAY, 1);
        assertThat(consumer.waits).isEqualTo(2);

        assertThat(consumer.committed(P0)).isEqualTo(Offsets.MOST_UNDER_WAY + 1);
    }

    @Test
    void sendsNothingTwiceThatIsUnderWay() {
        settleFirstOffset();
        consumer.isAnswerHeldBack = true;
        pollOneByOne(0, 1);
        consumer.commits.clear();
        processor.process(consumer, ConsumerRecords.empty());

        assertThat(consumer.commits).isEmpty();
        assertThat(consumer.lookUps).hasSize(1); // for the first record
    }

    @Test
    void waitsInTheEndForWhatIsUnderWay() {
        settleFirstOffset();
        consumer.isAnswerHeldBack = true;
        consumer.commitFailures.add(new TimeoutException());
        pollOneByOne(0, 1);
        assertThat(consumer.committed(P0)).isZero();
        processor.finish(consumer);

        assertThat(consumer.committed(P0)).isOne();
    }

    /** Its answer comes when the next call has sent more already. */
    @Test
    void doesNotGoBackToAFailedCommitThatALaterOneHasOvertaken() {
        settleFirstOffset();
        consumer.isAnswerHeldBack = true;
        consumer.commitFailures.add(new TimeoutException());
        pollOneByOne(0, 2);
        consumer.answer();
        consumer.commits.clear();
        processor.process(consumer, ConsumerRecords.empty());

        assertThat(consumer.committed(P0)).isEqualTo(2);
        assertThat(consumer.commits).isEmpty();
    }

    @Test
    void makesUpForACommitWhoseFailureIsToldLater() {
        settleFirstOffset();
        consumer.isAnswerHeldBack = true;
        consumer.commitFailures.add(new RebalanceInProgressException());
        pollOneByOne(0, 1);
        consumer.answer();
        processor.process(consumer, ConsumerRecords.empty());

        assertThat(consumer.committed(P0)).isOne();
    }

    @ParameterizedTest
    @MethodSource("fatal")
    void letsAFatalFailureThatIsToldLaterLeaveWithTheNextCall(RuntimeException failure) {
        settleFirstOffset();
        consumer.isAnswerHeldBack = true;
        consumer.commitFailures.add(failure);
        pollOneByOne(0, 1);
        consumer.answer();
        consumer.records(P0, 1, 1);

        assertThatThrownBy(this::poll).isSameAs(failure);
    }

    @Test
    void forgetsWhatIsUnderWayWhenThePartitionIsTakenAway() {
        settleFirstOffset();
        consumer.isAnswerHeldBack = true;
        consumer.commitFailures.add(new CommitFailedException());
        pollOneByOne(0, 1);
        consumer.reassign(P1);
        processor.process(consumer, ConsumerRecords.empty());
        consumer.answer();
        consumer.reassign(P0, P1);
        processor.process(consumer, ConsumerRecords.empty());

        assertThat(consumer.committed(P0)).isZero();
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

    @Test
    void goesBackToWhereAPartitionBeganIfNothingOfItIsCommitted() {
        consumer.seek(P0, 4);
        consumer.commitFailures.add(new StaleMemberEpochException("The epoch is old"));
        processor.assigned(consumer, consumer.assignment());
        consumer.seek(P0, 50);
        processor.rewind(consumer);

        assertThat(consumer.position(P0)).isEqualTo(4);
    }

    private void settleFirstOffset() {
        consumer.commitSync(Map.of(P0, new OffsetAndMetadata(0)));
    }

    private void pollOneByOne(long first, int count) {
        for (long offset = first; offset < first + count; offset++) {
            consumer.records(P0, offset, 1);
            poll();
        }
    }

    private void poll() {
        processor.process(consumer, consumer.poll(Duration.ZERO));
    }
}
