package io.idempotency.kafka;

import static io.idempotency.kafka.ScriptedConsumer.P0;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.idempotency.IdempotentConsumer;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Position;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The start, the failures and the end of a loop, without a broker. */
class PollLoopLifeTest {

    private final ScriptedBound flow = new ScriptedBound();
    private final AtomicLong nanos = new AtomicLong();
    private final RecordProcessor<String, String> processor =
            new RecordProcessor<>(flow, MessageIds.defaults(), nanos::get);
    private final ScriptedConsumer consumer = new ScriptedConsumer();
    private final Map<String, Object> properties = new HashMap<>(
            Map.of("isolation.level", "read_committed", "auto.offset.reset", "earliest", "group.id", "billing"));
    private final LogCapture logs = new LogCapture();
    private final AtomicReference<@Nullable Throwable> left = new AtomicReference<>();

    @AfterEach
    void stopCapturing() {
        logs.close();
    }

    @Test
    void refusesAutoCommit() {
        properties.put("enable.auto.commit", "true");

        assertThatThrownBy(this::loop)
                .isInstanceOf(IdempotencyException.class)
                .hasMessageContaining("enable.auto.commit=true");
    }

    @Test
    void switchesAutoCommitOff() {
        AtomicReference<Map<String, Object>> used = new AtomicReference<>(Map.of());
        PollLoop<String, String> loop = builder()
                .consumers(actual -> {
                    used.set(actual);
                    throw new KafkaException("scripted");
                })
                .build();

        assertThatThrownBy(loop::run).isInstanceOf(KafkaException.class);

        assertThat(used.get()).containsEntry("enable.auto.commit", "false");
    }

    @Test
    void refusesToBeBuiltWithoutTopics() {
        assertThatThrownBy(() -> PollLoop.of(processor).build()).isInstanceOf(IdempotencyException.class);
    }

    @Test
    void refusesToBeBuiltWithoutAGroup() {
        properties.remove("group.id");

        assertThatThrownBy(this::loop)
                .isInstanceOf(IdempotencyException.class)
                .hasMessageContaining("group.id is missing");
    }

    @Test
    @Tag("rule-5.9")
    void refusesToForgetWhatIsNotCommittedYet() {
        assertThatThrownBy(() -> builder().retention(Duration.ofMinutes(4)).build())
                .isInstanceOf(IdempotencyException.class)
                .hasMessageContaining("max.poll.interval.ms, PT5M");

        properties.put("max.poll.interval.ms", "240000");
        builder().retention(Duration.ofMinutes(4)).build();
    }

    @Test
    void saysNothingAboutSettingsThatAreSafe() {
        loop();

        assertThat(logs.warnings()).isEmpty();
    }

    @Test
    void warnsOfTheDefaultsThatReadAbortedRecordsAndBeginAtTheEnd() {
        properties.remove("isolation.level");
        properties.remove("auto.offset.reset");
        loop();

        assertThat(logs.warnings())
                .hasSize(2)
                .satisfiesExactlyInAnyOrder(
                        warning -> assertThat(warning).contains("isolation.level"),
                        warning -> assertThat(warning).contains("auto.offset.reset is latest"));
    }

    @Test
    @Tag("rule-5.8")
    void warnsOfAPollIntervalThatIsShorterThanFourChunks() {
        properties.put("max.poll.interval.ms", "299999");
        loop();

        assertThat(logs.warnings()).singleElement().asString().contains("PT4M59.999S", "PT1M15S");
    }

    @Test
    void handlesAndStops() {
        PollLoop<String, String> loop = loop();
        consumer.records(P0, 0, 2);
        Thread thread = start(loop);
        await().untilAsserted(() -> assertThat(consumer.committed(P0)).isEqualTo(2));
        loop.close();

        await().until(() -> !thread.isAlive());
        assertThat(consumer.closed()).isTrue();
        assertThat(left.get()).isNull();
    }

    @Test
    void doesNotRunWhenItWasClosedBefore() {
        PollLoop<String, String> loop = loop();
        loop.close();
        loop.close();
        loop.run();

        assertThat(consumer.closed()).isFalse();
        assertThat(flow.handled).isEmpty();
    }

    @Test
    void refusesToRunTwice() {
        PollLoop<String, String> loop = loop();
        start(loop);
        await().until(() -> consumer.subscription().size() == 1);

        assertThatThrownBy(loop::run).isInstanceOf(IdempotencyException.class);
        loop.close();
    }

    @Test
    void mayBeClosedByTheHandler() {
        PollLoop<String, String> loop = loop();
        consumer.records(P0, 0, 2);
        flow.beforeConsume = loop::close;
        Thread thread = start(loop);

        await().until(() -> !thread.isAlive());
        assertThat(consumer.closed()).isTrue();
        assertThat(consumer.commits).last().isEqualTo(Map.of(P0, offset(2)));
    }

    @Test
    @Tag("rule-7.8")
    void tellsThatItsPartitionsAreGivenUpWhenItEnds() {
        PollLoop<String, String> loop = loop();
        consumer.records(P0, 0, 2);
        flow.beforeConsume = loop::close;
        Thread thread = start(loop);

        await().until(() -> !thread.isAlive());
        assertThat(flow.revoked).containsExactly(P0);
    }

    @Test
    @Tag("rule-7.5")
    void forgesNoLineOfTheLog() {
        PollLoop<String, String> loop = loop();
        consumer.records(P0, 0, 2);
        consumer.schedulePollTask(
                () -> consumer.setPollException(new KafkaException("away\n2026-01-01 ERROR \u202Eforged")));
        start(loop);

        await().untilAsserted(() -> assertThat(consumer.committed(P0)).isEqualTo(2));
        loop.close();
        assertThat(logs.warnings())
                .anyMatch(line -> line.contains("away\\u000A2026-01-01 ERROR \\u202Eforged"))
                .noneMatch(line -> line.contains("\n") || line.contains("\u202E"));
    }

    @Test
    void goesOnWhenKafkaIsAwayForAWhile() {
        PollLoop<String, String> loop = loop();
        consumer.records(P0, 0, 2);
        consumer.schedulePollTask(() -> consumer.setPollException(new TimeoutException("scripted")));
        start(loop);

        await().untilAsserted(() -> assertThat(consumer.committed(P0)).isEqualTo(2));
        loop.close();
    }

    @Test
    void commitsWhatIsSettledBeforeAPartitionIsGivenUp() {
        PollLoop<String, String> loop = loop();
        consumer.records(P0, 0, 2);
        consumer.schedulePollTask(() -> consumer.commitFailures.add(new TimeoutException("scripted")));
        consumer.schedulePollTask(() -> consumer.reassign());
        start(loop);

        await().until(() -> flow.handled.size() == 2 && consumer.assignment().isEmpty());
        assertThat(consumer.commits).last().isEqualTo(Map.of(P0, offset(2)));
        loop.close();
    }

    @Test
    void losesNothingWhenPollThrowsAfterItTookRecords() {
        PollLoop<String, String> loop = loop();
        consumer.records(P0, 0, 2);
        consumer.schedulePollTask(() -> {
            // What the KIP-848 consumer does when a partition is taken away in the middle of a poll.
            consumer.seek(P0, 2);
            throw new IllegalStateException("No current assignment for partition orders-1");
        });
        start(loop);

        await().untilAsserted(() -> assertThat(flow.handled).containsExactly(at(0), at(1)));
        loop.close();
    }

    @Test
    void letsAFatalFailureLeaveAfterClosing() {
        PollLoop<String, String> loop = loop();
        consumer.schedulePollTask(() -> consumer.setPollException(GroupAuthorizationException.forGroupId("billing")));
        Thread thread = start(loop);

        await().until(() -> !thread.isAlive());
        assertThat(left.get()).isInstanceOf(GroupAuthorizationException.class);
        assertThat(consumer.closed()).isTrue();
        loop.close();
    }

    @Test
    void letsAnErrorLeaveWithNothingOfItCommitted() {
        PollLoop<String, String> loop = loop();
        consumer.records(P0, 0, 2);
        flow.error = new OutOfMemoryError("scripted");
        Thread thread = start(loop);

        await().until(() -> !thread.isAlive());
        assertThat(left.get()).isSameAs(flow.error);
        assertThat(consumer.closed()).isTrue();
        assertThat(consumer.commits).allSatisfy(commit -> assertThat(commit).containsEntry(P0, offset(0)));
    }

    @Test
    void stopsInOrderWhenItsThreadIsInterrupted() {
        PollLoop<String, String> loop = loop();
        consumer.records(P0, 0, 2);
        AtomicReference<Boolean> flag = new AtomicReference<>(false);
        Thread thread = new Thread(() -> {
            loop.run();
            flag.set(Thread.currentThread().isInterrupted());
        });
        consumer.schedulePollTask(() -> consumer.rebalance(List.of(P0)));
        consumer.schedulePollTask(() -> {
            throw new InterruptException("scripted");
        });
        thread.start();

        await().until(() -> !thread.isAlive());
        assertThat(flag.get()).isTrue();
        assertThat(consumer.closed()).isTrue();
    }

    @Test
    @Tag("rule-5.6")
    void goesOnWhenTheStoreCannotBeUsed() {
        PollLoop<String, String> loop = loop();
        consumer.records(P0, 0, 2);
        flow.throwing.put(P0, new AssertionError("no tables"));
        start(loop);
        await().until(() -> logs.warnings().stream().anyMatch(line -> line.contains("stand still")));
        flow.throwing.clear();
        nanos.addAndGet(IdempotentConsumer.STAND_STILL.toNanos());

        await().untilAsserted(() -> assertThat(consumer.committed(P0)).isEqualTo(2));
        assertThat(loop.isRunning()).isTrue();
        loop.close();
    }

    static Stream<RuntimeException> passing() throws InterruptedException {
        AtomicReference<RuntimeException> ofAnotherThread = new AtomicReference<>(new IllegalStateException());
        Thread another = new Thread(() -> ofAnotherThread.set(new InterruptException("of another thread")));
        another.start();
        another.join();
        return Stream.of(
                ofAnotherThread.get(),
                new KafkaException("Received exception when fetching the next record from orders-0"),
                new IllegalArgumentException("of a deserializer"));
    }

    @ParameterizedTest
    @MethodSource("passing")
    @Tag("rule-5.6")
    void goesOnWhatEverThePollThrowsAndLosesNothing(RuntimeException failure) {
        PollLoop<String, String> loop = loop();
        consumer.records(P0, 0, 2);
        consumer.schedulePollTask(() -> {
            consumer.seek(P0, 2);
            throw failure;
        });
        start(loop);

        await().untilAsserted(() -> assertThat(flow.handled).containsExactly(at(0), at(1)));
        loop.close();
    }

    @Test
    @Tag("rule-5.6")
    void goesOnWhenKafkaIsAwayWhileARecordIsRejected() {
        PollLoop<String, String> loop = loop();
        consumer.schedulePollTask(() -> {
            consumer.records(P0, 1, 1);
            consumer.lookUpFailures.add(new TimeoutException("scripted"));
            throw unreadable();
        });
        consumer.schedulePollTask(() -> {
            throw unreadable();
        });
        start(loop);

        await().untilAsserted(() -> assertThat(consumer.committed(P0)).isEqualTo(2));
        assertThat(flow.rejected).contains(at(0));
        loop.close();
    }

    private static RecordDeserializationException unreadable() {
        return new RecordDeserializationException(
                RecordDeserializationException.DeserializationExceptionOrigin.VALUE,
                P0,
                0,
                0,
                TimestampType.CREATE_TIME,
                null,
                null,
                new RecordHeaders(),
                "scripted",
                new IllegalArgumentException());
    }

    @Test
    @Tag("rule-5.6")
    void tellsWhatEndedIt() {
        AtomicReference<Optional<Throwable>> told = new AtomicReference<>(Optional.empty());
        RuntimeException refused = GroupAuthorizationException.forGroupId("billing");
        PollLoop<String, String> loop = builder().onEnd(told::set).build();
        consumer.schedulePollTask(() -> {
            throw refused;
        });
        assertThat(loop.isRunning()).isFalse();
        Thread thread = start(loop);

        await().until(() -> !thread.isAlive());
        assertThat(told.get()).containsSame(refused);
        assertThat(loop.failure()).containsSame(refused);
        assertThat(loop.isRunning()).isFalse();
    }

    @Test
    @Tag("rule-5.6")
    void tellsThatItWasClosed() {
        List<Optional<Throwable>> told = new CopyOnWriteArrayList<>();
        PollLoop<String, String> loop = builder()
                .onEnd(ending -> {
                    told.add(ending);
                    throw new IllegalStateException("nobody listens");
                })
                .build();
        Thread thread = start(loop);
        await().until(loop::isRunning);
        loop.close();

        await().until(() -> !thread.isAlive());
        assertThat(told).containsExactly(Optional.empty());
        assertThat(left.get()).isNull();
    }

    private PollLoop<String, String> loop() {
        return builder().build();
    }

    private PollLoopBuilder<String, String> builder() {
        consumer.unsubscribe();
        consumer.updateBeginningOffsets(Map.of(P0, 0L));
        return PollLoop.of(processor)
                .properties(properties)
                .topics("orders")
                .pollTimeout(Duration.ofMillis(10))
                .closeTimeout(Duration.ofSeconds(10))
                .consumers(ignored -> consumer);
    }

    private Thread start(PollLoop<String, String> loop) {
        consumer.beforeFirstPoll(() -> consumer.rebalance(List.of(P0)));
        Thread thread = new Thread(() -> {
            try {
                loop.run();
            } catch (RuntimeException | Error failure) {
                left.set(failure);
            }
        });
        thread.start();
        return thread;
    }

    private static Position at(long offset) {
        return new Position("orders", 0, offset);
    }

    private static org.apache.kafka.clients.consumer.OffsetAndMetadata offset(long offset) {
        return new org.apache.kafka.clients.consumer.OffsetAndMetadata(offset);
    }
}
