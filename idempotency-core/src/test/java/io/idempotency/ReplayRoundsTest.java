package io.idempotency;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.kafka.LogCapture;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.TransientStoreException;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** How fast a replay goes on, and when it waits or ends. */
class ReplayRoundsTest {

    private final ReplayScene scene = new ReplayScene();

    @Test
    @Tag("rule-9.15")
    void refusesAtMostOnceUnlessRepeatedEffectsAreAccepted() {
        IdempotentConsumer<Message> consumer = scene.consumer(ConsistencyLevel.AT_MOST_ONCE);
        scene.quarantine(consumer, Message.partition(0, "a"), "a");
        scene.request();
        Replayer<Message> replayer = scene.replayer(consumer);

        scene.carryOut(replayer.rounds(scene.handler(replayer)));

        assertThat(scene.bench.calls).isEmpty();
        assertThat(scene.replays
                        .find(ReplayScene.REPLAY)
                        .orElseThrow()
                        .stoppedBy()
                        .orElseThrow())
                .contains("AT_MOST_ONCE");
    }

    /** Anybody may write a replay into its table. */
    @Test
    @Tag("rule-2.9")
    void logsNoInvisibleCharactersOfARequest() {
        IdempotentConsumer<Message> consumer = scene.consumer(ConsistencyLevel.STRONG);
        scene.quarantine(consumer, Message.partition(0, "a"), "a");
        var unused = scene.replays.request(ReplayRequest.of(QuarantineSelection.of("billing"))
                .id(ReplayScene.REPLAY)
                .by("Ada\n", "INC\n42"));
        scene.bench.failing.put("a", scene.poison);
        Replayer<Message> replayer = scene.replayer(consumer);

        try (LogCapture log = new LogCapture()) {
            ReplayRounds rounds = replayer.rounds(scene.handler(replayer));
            for (int i = 0; i < 5; i++) {
                scene.nanos.addAndGet(rounds.round().toNanos());
            }

            assertThat(log.all())
                    .filteredOn(line -> line.startsWith("Replay again"))
                    .hasSizeGreaterThan(2)
                    .noneMatch(line -> line.contains("\n"))
                    .anyMatch(line -> line.endsWith("Asked for by Ada\\u000A. Reason: INC\\u000A42"));
        }
    }

    @Test
    @Tag("rule-9.16")
    void seesAPauseBeforeEachMessage() {
        IdempotentConsumer<Message> consumer = scene.consumer(ConsistencyLevel.STRONG);
        scene.quarantine(consumer, Message.partition(0, "a", "b"), "a", "b");
        scene.request();
        Replayer<Message> replayer = scene.replayer(consumer);
        ReplayRounds rounds = replayer.rounds((entry, replay) -> {
            replayer.consumer().consume(ReplayScene.message(entry), scene.bench::handle);
            assertThat(scene.replays.pause(replay)).isTrue();
        });

        for (int i = 0; i < 5; i++) {
            scene.nanos.addAndGet(rounds.round().toNanos());
        }
        assertThat(scene.bench.calls).containsExactly("a");
        assertThat(scene.replays.resume(ReplayScene.REPLAY)).isTrue();
        scene.carryOut(rounds);
        assertThat(scene.bench.calls).containsExactly("a", "b");
    }

    @Test
    @Tag("rule-9.16")
    void divideTheRateByTheTurns() {
        ReplayPace pace = new ReplayPace(0);
        pace.share(10, 1, 4);
        pace.begin(0);
        assertThat(pace.untilNext(0)).isEqualTo(400_000_000);
        pace.share(10, 4, 4);
        pace.begin(400_000_000);
        assertThat(pace.untilNext(400_000_000)).isEqualTo(100_000_000);
        pace.begin(10_000_000_000L);
        assertThat(pace.untilNext(10_000_000_000L)).as("after a pause").isZero();
    }

    @Test
    @Tag("rule-9.17")
    void waitsAMinuteAtMostForALivePartitionThatWaits() {
        IdempotentConsumer<Message> consumer = scene.consumer(ConsistencyLevel.STRONG);
        scene.quarantine(consumer, Message.partition(0, "a"), "a");
        scene.request();
        scene.bench.failing.put("z", new TransientStoreException("away"));
        consumer.consumeAll(List.of(Message.of("z", 0, 5)), scene.bench::handle);
        Replayer<Message> replayer = scene.replayer(consumer);
        ReplayRounds rounds = replayer.rounds(scene.handler(replayer));

        scene.nanos.addAndGet(rounds.round().toNanos());
        assertThat(scene.bench.calls).containsExactly("z");
        scene.nanos.addAndGet(ReplayWaits.MOST_YIELDING.toNanos());
        scene.carryOut(rounds);

        assertThat(scene.bench.effects).containsExactly("a");
    }
}
