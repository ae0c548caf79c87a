package io.idempotency;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.kafka.LogCapture;
import io.idempotency.memory.MemoryReplays;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineSelection;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The log of a node tells how a replay goes, so that nobody has to read the table. */
@Tag("rule-9.30")
class ReplayNewsTest {

    private static final String REPLAY = "INC-42";

    private final Bench bench = new Bench();
    private final MemoryReplays replays = new MemoryReplays(bench.store, bench.quarantine);
    private final AtomicLong nanos = new AtomicLong();
    private final LogCapture log = new LogCapture();

    @AfterEach
    void close() {
        log.close();
    }

    private ReplayRounds rounds(ConsistencyLevel level) {
        IdempotentConsumer<Message> consumer = bench.level(level)
                .failures(FailurePolicy.quarantineAfter(1))
                .standStillAfter(Integer.MAX_VALUE)
                .build();
        List<Message> messages = Message.partition(0, "a", "b", "c");
        messages.forEach(message -> bench.failing.put(message.id(), new IllegalArgumentException("poison")));
        messages.forEach(message -> consumer.consumeAll(List.of(message), bench::handle));
        bench.failing.clear();
        Replayer<Message> replayer = Replayer.of(consumer, replays, Clockwork.of(nanos::get), Replayer.TURN);
        return replayer.rounds((entry, replay) -> replayer.consumer().consume(message(entry), bench::handle));
    }

    private static Message message(QuarantineEntry entry) {
        byte[] value = Objects.requireNonNull(entry.message().payload().value());
        return new Message(
                new String(value, StandardCharsets.UTF_8),
                entry.message().delivery().position());
    }

    private ReplayRequest request() {
        return ReplayRequest.of(QuarantineSelection.of("billing")).id(REPLAY).by("Ada", "mended");
    }

    /** Runs rounds, and lets the time pass that they want to wait, until none of them has work. */
    private void carryOut(ReplayRounds rounds) {
        Duration wait = Duration.ZERO;
        while (wait.compareTo(ReplayRounds.LOOK) < 0) {
            wait = rounds.round();
            nanos.addAndGet(wait.toNanos());
        }
    }

    private List<String> lines() {
        return log.all().stream().filter(line -> line.startsWith("Replay ")).toList();
    }

    @Test
    void tellsTheBeginningAndTheEndWithCounts() {
        ReplayRounds rounds = rounds(ConsistencyLevel.STRONG);
        bench.failing.put("b", new IllegalArgumentException("still poison"));
        var unused = replays.request(request());

        carryOut(rounds);

        assertThat(lines())
                .containsExactly(
                        "Replay INC-42 of billing begins: messages of billing, 3 left, at most 10 a second. Asked for by"
                                + " Ada. Reason: mended",
                        "Replay INC-42: billing/b at orders-0@1 failed again after 2 attempts. It stays in the memory of this process.",
                        "Replay INC-42 of billing is done: of 3 messages 2 processed, 0 duplicates, 1 failed again, 0"
                                + " unreadable.");
    }

    @Test
    void tellsOnceAMinuteHowFarItIs() {
        ReplayRounds rounds = rounds(ConsistencyLevel.STRONG);
        var unused = replays.request(request().perSecond(1));
        assertThat(rounds.round()).isPositive();

        nanos.addAndGet(ReplayNews.BETWEEN_PROGRESS.toNanos());
        assertThat(rounds.round()).isPositive();

        assertThat(lines())
                .last()
                .isEqualTo(
                        "Replay INC-42 of billing: of 3 messages 1 processed, 0 duplicates, 0 failed again, 0 unreadable,"
                                + " 2 left.");
    }

    @Test
    void warnsOfAReplayThatEqualFailuresStop() {
        ReplayRounds rounds = rounds(ConsistencyLevel.STRONG);
        List.of("a", "b", "c").forEach(id -> bench.failing.put(id, new IllegalArgumentException("still poison")));
        var unused = replays.request(request().stopAfter(2));

        carryOut(rounds);

        assertThat(log.warnings())
                .last()
                .asString()
                .startsWith("Replay INC-42 of billing is stopped: ")
                .contains("IllegalArgumentException")
                .endsWith(
                        "Until then: of 3 messages 0 processed, 0 duplicates, 2 failed again, 0 unreadable. 1 messages are"
                                + " left in quarantine, and belong to no replay.");
    }

    @Test
    void warnsOfAReplayThatTheLevelRefuses() {
        ReplayRounds rounds = rounds(ConsistencyLevel.AT_MOST_ONCE);
        var unused = replays.request(request());

        carryOut(rounds);

        assertThat(lines()).singleElement().asString().contains("is stopped: The level of billing is AT_MOST_ONCE");
        assertThat(log.warnings()).containsAll(lines());
    }

    @Test
    void tellsOfAPauseAndThatItGoesOn() {
        ReplayRounds rounds = rounds(ConsistencyLevel.STRONG);
        var unused = replays.request(request().perSecond(1));
        assertThat(rounds.round()).isPositive();
        boolean changed = replays.pause(REPLAY);

        assertThat(rounds.round()).isPositive();
        changed &= replays.resume(REPLAY);
        assertThat(rounds.round()).isPositive();

        assertThat(changed).isTrue();
        assertThat(lines())
                .satisfiesExactly(
                        begins -> assertThat(begins).contains(" begins: "),
                        paused -> assertThat(paused)
                                .contains(" is paused: of 3 messages 1 processed")
                                .endsWith(" 2 left."),
                        goesOn -> assertThat(goesOn).contains(" goes on: ").contains(", 2 left,"));
    }

    @Test
    void tellsThatAReplayWaitsForAnotherNodeOnce() {
        ReplayRounds rounds = rounds(ConsistencyLevel.STRONG);
        var unused = replays.request(request());

        rounds.rest();
        rounds.rest();

        assertThat(lines())
                .containsExactly(
                        "Replay INC-42 of billing waits for another node: this one does not work now, because its listener is"
                                + " stopped or paused. 3 left.");
    }
}
