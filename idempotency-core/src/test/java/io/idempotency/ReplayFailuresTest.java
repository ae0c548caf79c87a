package io.idempotency;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.kafka.LogCapture;
import io.idempotency.replay.Replay;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.replay.UnreadableBytesException;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Messages that fail again in a replay, transiently or not, and those that never reach their handler. */
class ReplayFailuresTest {

    private final ReplayScene scene = new ReplayScene();

    @Tag("rule-9.11")
    @ParameterizedTest
    @EnumSource(ConsistencyLevel.class)
    void savesAFailureWithOneMoreAttemptAndLeavesTheLivePartitionAlone(ConsistencyLevel level) {
        IdempotentConsumer<Message> consumer = scene.consumer(level);
        scene.quarantine(consumer, Message.partition(0, "a", "b"), "a", "b");
        QuarantineEntry before = scene.kept("a").orElseThrow();
        scene.bench.failing.put("a", new IllegalStateException("still broken"));
        scene.bench.passTime(Duration.ofHours(1));
        scene.bench.events.clear();
        var unused = scene.replays.request(ReplayRequest.of(QuarantineSelection.of("billing"))
                .id(ReplayScene.REPLAY)
                .acceptRepeatedEffects());
        Replayer<Message> replayer = scene.replayer(consumer);

        scene.carryOut(replayer.rounds(scene.handler(replayer)));

        QuarantineEntry after = scene.kept("a").orElseThrow();
        assertThat(after.message().attempts()).isEqualTo(before.message().attempts() + 1);
        assertThat(after.message().failure().type()).isEqualTo(IllegalStateException.class.getName());
        assertThat(after.message().payload().value())
                .isEqualTo(before.message().payload().value());
        assertThat(after.firstAt()).isEqualTo(before.firstAt());
        assertThat(after.generation()).isGreaterThan(before.generation());
        assertThat(scene.bench.effects).containsExactly("b");
        assertThat(scene.progress().failed()).isEqualTo(1);
        assertThat(scene.status()).isEqualTo(Replay.Status.DONE);
        assertThat(scene.bench.events).as("events of live messages").isEmpty();
        assertThat(consumer.flow().lanes().isWaiting(new Lane("orders", 0))).isFalse();
        assertThat(consumer.flow().suspects().isEmpty()).isTrue();
        if (level != ConsistencyLevel.NONE) {
            assertThat(consumer.consume(Message.of("a", 0, 0), scene.bench::handle))
                    .isEqualTo(Outcome.QUARANTINED);
        }
    }

    @ParameterizedTest
    @EnumSource(names = "AT_MOST_ONCE", mode = EnumSource.Mode.EXCLUDE)
    @Tag("rule-9.15")
    void doesNotRepeatWhatFailedUnderAtMostOnceWhateverTheLevelIsNow(ConsistencyLevel level) {
        scene.quarantine(scene.consumer(ConsistencyLevel.AT_MOST_ONCE), Message.partition(0, "a"), "a");
        Replayer<Message> replayer = scene.replayer(scene.consumer(level));
        ReplayRounds rounds = replayer.rounds(scene.handler(replayer));
        scene.request();

        try (LogCapture log = new LogCapture()) {
            scene.carryOut(rounds);
            var unused = rounds.round();

            assertThat(log.all())
                    .filteredOn(line -> line.startsWith("Replay again of billing is stopped"))
                    .hasSize(1);
        }
        assertThat(scene.bench.calls).isEmpty();
        assertThat(scene.kept("a")).isPresent();
        assertThat(scene.replays.find(ReplayScene.REPLAY).orElseThrow())
                .satisfies(replay -> assertThat(replay.status()).isEqualTo(Replay.Status.STOPPED))
                .extracting(replay -> replay.stoppedBy().orElse(""))
                .asString()
                .contains("billing/a at", "failed while its consumer was AT_MOST_ONCE", "acceptRepeatedEffects()");

        var unused = scene.replays.request(
                ReplayRequest.of(QuarantineSelection.of("billing")).acceptRepeatedEffects());
        for (int i = 0; i < 5; i++) {
            scene.nanos.addAndGet(rounds.round().toNanos());
        }
        assertThat(scene.bench.effects).containsExactly("a");
    }

    @Test
    @Tag("rule-9.11")
    void stopsAfterEqualFailuresInARow() {
        IdempotentConsumer<Message> consumer = scene.consumer(ConsistencyLevel.STRONG);
        scene.quarantine(
                consumer, Message.partition(0, "a", "b", "c", "d", "e", "f", "g"), "a", "b", "c", "d", "e", "f", "g");
        scene.request();
        Replayer<Message> replayer = scene.replayer(consumer);
        for (String id : List.of("a", "b", "c", "d", "e", "f", "g")) {
            scene.bench.failing.put(id, scene.poison);
        }

        scene.carryOut(replayer.rounds(scene.handler(replayer)));

        assertThat(scene.bench.calls).containsExactly("a", "b", "c", "d", "e");
        assertThat(scene.status()).isEqualTo(Replay.Status.STOPPED);
        assertThat(scene.kept("f").orElseThrow().message().attempts()).isEqualTo(1);
    }

    @Tag("rule-9.12")
    @ParameterizedTest
    @EnumSource(
            value = ConsistencyLevel.class,
            names = {"STRONG", "AT_LEAST_ONCE"})
    void waitsAfterATransientFailureWithoutAnAttempt(ConsistencyLevel level) {
        IdempotentConsumer<Message> consumer = scene.consumer(level);
        scene.quarantine(consumer, Message.partition(0, "a", "b"), "a", "b");
        long generation = scene.kept("a").orElseThrow().generation();
        scene.request();
        Replayer<Message> replayer = scene.replayer(consumer);
        ReplayRounds rounds = replayer.rounds(scene.handler(replayer));
        scene.bench.failing.put("a", new TransientStoreException("away"));

        Duration wait = rounds.round();
        assertThat(wait).isPositive();
        assertThat(rounds.round()).isPositive();
        assertThat(scene.bench.calls).containsExactly("a");
        scene.nanos.addAndGet(wait.toNanos());
        assertThat(rounds.round()).isGreaterThan(wait);

        assertThat(scene.kept("a").orElseThrow().generation()).isEqualTo(generation);
        assertThat(scene.bench.calls).containsExactly("a", "a");
        scene.bench.failing.clear();
        scene.carryOut(rounds);
        assertThat(scene.bench.effects).containsExactly("a", "b");
    }

    @Test
    @Tag("rule-9.14")
    void keepsAMessageWhoseBytesAreGone() {
        IdempotentConsumer<Message> consumer = scene.consumer(ConsistencyLevel.STRONG);
        scene.quarantine(consumer, Message.partition(0, "a"), "a");
        scene.request();

        scene.carryOut(scene.replayer(consumer).rounds((entry, replay) -> {
            throw new UnreadableBytesException("The bytes are gone");
        }));

        QuarantineEntry after = scene.kept("a").orElseThrow();
        assertThat(after.message().attempts()).isEqualTo(1);
        assertThat(after.message().failure().text()).contains("The bytes are gone", "Before: ", "poison");
        assertThat(scene.progress().unreadable()).isEqualTo(1);
        assertThat(scene.status()).isEqualTo(Replay.Status.DONE);
    }

    @Test
    @Tag("rule-9.14")
    void keepsAMessageThatDidNotReachItsHandler() {
        IdempotentConsumer<Message> consumer = scene.consumer(ConsistencyLevel.STRONG);
        scene.quarantine(consumer, Message.partition(0, "a"), "a");
        scene.request();

        scene.carryOut(scene.replayer(consumer).rounds((entry, replay) -> {}));

        assertThat(scene.kept("a").orElseThrow().message().failure().text()).contains("did not reach its handler");
    }
}
