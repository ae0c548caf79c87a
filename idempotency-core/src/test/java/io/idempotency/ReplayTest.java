package io.idempotency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.memory.MemoryReplays;
import io.idempotency.replay.Replay;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.replay.ReplayResult;
import io.idempotency.replay.UnreadableBytesException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Processed;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.TransientStoreException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Quarantined messages are handled again, by the same handler and at the same level. */
class ReplayTest {

    private static final String REPLAY = "again";
    private final Throwable poison = new IllegalArgumentException("poison");

    private final Bench bench = new Bench();
    private final MemoryReplays replays = new MemoryReplays(bench.store, bench.quarantine);
    private final List<Replayed> events = new ArrayList<>();
    private final AtomicLong nanos = new AtomicLong();

    private IdempotentConsumer<Message> consumer(ConsistencyLevel level) {
        return bench.level(level)
                .failures(FailurePolicy.quarantineAfter(1))
                .standStillAfter(Integer.MAX_VALUE)
                .listener(new ConsumptionListener() {
                    @Override
                    public void onConsumption(Consumption consumption) {}

                    @Override
                    public void onReplay(Replayed replayed) {
                        events.add(replayed);
                    }
                })
                .build();
    }

    private Replayer<Message> replayer(IdempotentConsumer<Message> consumer) {
        return Replayer.of(consumer, replays, Clockwork.of(nanos::get), Replayer.TURN);
    }

    private ReplayHandler handler(Replayer<Message> replayer) {
        return (entry, replay) -> replayer.consumer().consume(message(entry), bench::handle);
    }

    private static Message message(QuarantineEntry entry) {
        byte[] value = entry.message().payload().value();
        return new Message(
                value == null ? "" : new String(value, StandardCharsets.UTF_8),
                entry.message().delivery().position());
    }

    /** Consumes messages of which some are poison, and mends the handler. */
    private void quarantine(IdempotentConsumer<Message> consumer, List<Message> messages, String... poison) {
        for (String id : poison) {
            bench.failing.put(id, this.poison);
        }
        messages.forEach(message -> consumer.consumeAll(List.of(message), bench::handle));
        bench.failing.clear();
        bench.calls.clear();
    }

    private void request() {
        var unused = replays.request(
                ReplayRequest.of(QuarantineSelection.of("billing")).id(REPLAY).perSecond(1_000));
    }

    /** Runs rounds, and lets the time pass that they want to wait, until the replay does not run any more. */
    private void carryOut(ReplayRounds rounds) {
        for (int i = 0; i < 1_000 && status() == Replay.Status.RUNNING; i++) {
            nanos.addAndGet(rounds.round().toNanos());
        }
    }

    private Replay.Status status() {
        return replays.find(REPLAY).orElseThrow().status();
    }

    private Replay.Progress progress() {
        return replays.find(REPLAY).orElseThrow().progress();
    }

    private Optional<Processed> known(String id) {
        return bench.store.find(new MessageId("billing", id));
    }

    private Optional<QuarantineEntry> kept(String id) {
        return bench.quarantine.find(new MessageId("billing", id));
    }

    @Tag("rule-9.10")
    @ParameterizedTest
    @EnumSource(ConsistencyLevel.class)
    void handlesQuarantinedMessagesAgainInOrder(ConsistencyLevel level) {
        IdempotentConsumer<Message> consumer = consumer(level);
        quarantine(consumer, Message.partition(0, "a", "b", "c", "d"), "b", "d");
        var unused = replays.request(
                ReplayRequest.of(QuarantineSelection.of("billing")).id(REPLAY).acceptRepeatedEffects());
        Replayer<Message> replayer = replayer(consumer);

        carryOut(replayer.rounds(handler(replayer)));

        assertThat(bench.calls).containsExactly("b", "d");
        assertThat(bench.effects).containsExactlyInAnyOrder("a", "b", "c", "d");
        assertThat(bench.quarantine.list("billing", 10)).isEmpty();
        assertThat(status()).isEqualTo(Replay.Status.DONE);
        assertThat(progress().processed()).isEqualTo(2);
        assertThat(events).extracting(Replayed::result).containsExactly(ReplayResult.PROCESSED, ReplayResult.PROCESSED);
        if (level != ConsistencyLevel.NONE) {
            assertThat(consumer.consume(Message.of("b", 0, 1), bench::handle)).isEqualTo(Outcome.DUPLICATE);
        }
    }

    @Test
    @Tag("rule-9.10")
    void givesABatchHandlerABatchOfOne() {
        IdempotentConsumer<Message> consumer = consumer(ConsistencyLevel.STRONG);
        quarantine(consumer, Message.partition(0, "a", "b"), "b");
        request();
        Replayer<Message> replayer = replayer(consumer);

        carryOut(replayer.rounds(
                (entry, replay) -> replayer.consumer().consumeBatch(List.of(message(entry)), bench::handleBatch)));

        assertThat(bench.effects).containsExactly("a", "b");
    }

    @Test
    @Tag("rule-9.10")
    void takesPartInATransactionOfTheCaller() {
        IdempotentConsumer<Message> consumer = consumer(ConsistencyLevel.STRONG);
        quarantine(consumer, Message.partition(0, "a", "b"), "a", "b");
        request();
        Replayer<Message> replayer = replayer(consumer);
        bench.failing.put("b", poison);

        carryOut(replayer.rounds((entry, replay) -> bench.store
                .transactions()
                .inTransaction(() -> replayer.consumer().consume(message(entry), bench::handle))));

        assertThat(bench.effects).containsExactly("a");
        assertThat(kept("a")).isEmpty();
        assertThat(kept("b").orElseThrow().message().attempts()).isEqualTo(2);
        assertThat(progress().failed()).isEqualTo(1);
    }

    @Tag("rule-9.11")
    @ParameterizedTest
    @EnumSource(ConsistencyLevel.class)
    void savesAFailureWithOneMoreAttemptAndLeavesTheLivePartitionAlone(ConsistencyLevel level) {
        IdempotentConsumer<Message> consumer = consumer(level);
        quarantine(consumer, Message.partition(0, "a", "b"), "a", "b");
        QuarantineEntry before = kept("a").orElseThrow();
        bench.failing.put("a", new IllegalStateException("still broken"));
        bench.passTime(Duration.ofHours(1));
        bench.events.clear();
        var unused = replays.request(
                ReplayRequest.of(QuarantineSelection.of("billing")).id(REPLAY).acceptRepeatedEffects());
        Replayer<Message> replayer = replayer(consumer);

        carryOut(replayer.rounds(handler(replayer)));

        QuarantineEntry after = kept("a").orElseThrow();
        assertThat(after.message().attempts()).isEqualTo(before.message().attempts() + 1);
        assertThat(after.message().failure().type()).isEqualTo(IllegalStateException.class.getName());
        assertThat(after.message().payload().value())
                .isEqualTo(before.message().payload().value());
        assertThat(after.firstAt()).isEqualTo(before.firstAt());
        assertThat(after.generation()).isGreaterThan(before.generation());
        assertThat(bench.effects).containsExactly("b");
        assertThat(progress().failed()).isEqualTo(1);
        assertThat(status()).isEqualTo(Replay.Status.DONE);
        assertThat(bench.events).as("events of live messages").isEmpty();
        assertThat(consumer.flow().lanes().isWaiting(new Lane("orders", 0))).isFalse();
        assertThat(consumer.flow().suspects().isEmpty()).isTrue();
        if (level != ConsistencyLevel.NONE) {
            assertThat(consumer.consume(Message.of("a", 0, 0), bench::handle)).isEqualTo(Outcome.QUARANTINED);
        }
    }

    @Test
    @Tag("rule-9.11")
    void stopsAfterEqualFailuresInARow() {
        IdempotentConsumer<Message> consumer = consumer(ConsistencyLevel.STRONG);
        quarantine(
                consumer, Message.partition(0, "a", "b", "c", "d", "e", "f", "g"), "a", "b", "c", "d", "e", "f", "g");
        request();
        Replayer<Message> replayer = replayer(consumer);
        for (String id : List.of("a", "b", "c", "d", "e", "f", "g")) {
            bench.failing.put(id, this.poison);
        }

        carryOut(replayer.rounds(handler(replayer)));

        assertThat(bench.calls).containsExactly("a", "b", "c", "d", "e");
        assertThat(status()).isEqualTo(Replay.Status.STOPPED);
        assertThat(kept("f").orElseThrow().message().attempts()).isEqualTo(1);
    }

    @Tag("rule-9.12")
    @ParameterizedTest
    @EnumSource(
            value = ConsistencyLevel.class,
            names = {"STRONG", "AT_LEAST_ONCE"})
    void waitsAfterATransientFailureWithoutAnAttempt(ConsistencyLevel level) {
        IdempotentConsumer<Message> consumer = consumer(level);
        quarantine(consumer, Message.partition(0, "a", "b"), "a", "b");
        long generation = kept("a").orElseThrow().generation();
        request();
        Replayer<Message> replayer = replayer(consumer);
        ReplayRounds rounds = replayer.rounds(handler(replayer));
        bench.failing.put("a", new TransientStoreException("away"));

        Duration wait = rounds.round();
        assertThat(wait).isPositive();
        assertThat(rounds.round()).isPositive();
        assertThat(bench.calls).containsExactly("a");
        nanos.addAndGet(wait.toNanos());
        assertThat(rounds.round()).isGreaterThan(wait);

        assertThat(kept("a").orElseThrow().generation()).isEqualTo(generation);
        assertThat(bench.calls).containsExactly("a", "a");
        bench.failing.clear();
        carryOut(rounds);
        assertThat(bench.effects).containsExactly("a", "b");
    }

    @Test
    @Tag("rule-9.10")
    void deletesTheEntryOfAMessageThatWasProcessedMeanwhile() {
        IdempotentConsumer<Message> consumer = consumer(ConsistencyLevel.STRONG);
        quarantine(consumer, Message.partition(0, "a"), "a");
        consumer.forget("a");
        assertThat(consumer.consume(Message.of("a", 0, 7), bench::handle)).isEqualTo(Outcome.PROCESSED);
        request();
        Replayer<Message> replayer = replayer(consumer);

        carryOut(replayer.rounds(handler(replayer)));

        assertThat(bench.effects).containsExactly("a");
        assertThat(kept("a")).isEmpty();
        assertThat(progress().duplicates()).isEqualTo(1);
    }

    @Test
    @Tag("rule-9.10")
    void doesNothingForAnEntryOfAnotherGeneration() {
        IdempotentConsumer<Message> consumer = consumer(ConsistencyLevel.STRONG);
        quarantine(consumer, Message.partition(0, "a"), "a");
        request();
        Replayer<Message> replayer = replayer(consumer);
        ReplayRounds rounds = replayer.rounds((entry, replay) -> {
            // Somebody else has saved it between the list and the transaction.
            bench.quarantine.save(entry.message());
            replayer.consumer().consume(message(entry), bench::handle);
        });

        carryOut(rounds);

        assertThat(bench.calls).isEmpty();
        assertThat(kept("a")).isPresent();
        assertThat(known("a")).isPresent();
        assertThat(progress().failed()).isZero();
    }

    @Test
    @Tag("rule-9.13")
    void claimsBothIdsOfAMessageWhoseIdCouldNotBeReadBefore() {
        List<String> unreadable = new ArrayList<>(List.of("a"));
        IdempotentConsumer<Message> consumer = bench.strong()
                .failures(FailurePolicy.quarantineAfter(1))
                .standStillAfter(Integer.MAX_VALUE)
                .messageId(message -> unreadable.contains(message.id()) ? Optional.empty() : message.messageId())
                .build();
        consumer.consumeAll(Message.partition(0, "a"), bench::handle);
        MessageId standIn = bench.quarantine.list("billing", 1).get(0);
        request();
        Replayer<Message> replayer = replayer(consumer);
        bench.failing.put("a", poison);
        unreadable.clear();
        ReplayRounds rounds = replayer.rounds(handler(replayer));
        carryOut(rounds);
        assertThat(known("a"))
                .as("its id while it is in quarantine under another one")
                .isEmpty();
        assertThat(bench.quarantine.find(standIn)).isPresent();

        bench.failing.clear();
        var unused = replays.request(
                ReplayRequest.of(QuarantineSelection.of("billing")).id("third"));
        for (int i = 0; i < 10; i++) {
            nanos.addAndGet(rounds.round().toNanos());
        }

        assertThat(bench.effects).containsExactly("a");
        assertThat(bench.quarantine.find(standIn)).isEmpty();
        assertThat(consumer.consume(Message.of("a", 0, 9), bench::handle)).isEqualTo(Outcome.DUPLICATE);
        assertThat(bench.store.find(standIn)).isPresent();
    }

    @Test
    @Tag("rule-9.14")
    void keepsAMessageWhoseBytesAreGone() {
        IdempotentConsumer<Message> consumer = consumer(ConsistencyLevel.STRONG);
        quarantine(consumer, Message.partition(0, "a"), "a");
        request();

        carryOut(replayer(consumer).rounds((entry, replay) -> {
            throw new UnreadableBytesException("The bytes are gone");
        }));

        QuarantineEntry after = kept("a").orElseThrow();
        assertThat(after.message().attempts()).isEqualTo(1);
        assertThat(after.message().failure().text()).contains("The bytes are gone", "Before: ", "poison");
        assertThat(progress().unreadable()).isEqualTo(1);
        assertThat(status()).isEqualTo(Replay.Status.DONE);
    }

    @Test
    @Tag("rule-9.14")
    void keepsAMessageThatDidNotReachItsHandler() {
        IdempotentConsumer<Message> consumer = consumer(ConsistencyLevel.STRONG);
        quarantine(consumer, Message.partition(0, "a"), "a");
        request();

        carryOut(replayer(consumer).rounds((entry, replay) -> {}));

        assertThat(kept("a").orElseThrow().message().failure().text()).contains("did not reach its handler");
    }

    @Test
    @Tag("rule-9.15")
    void refusesAtMostOnceUnlessRepeatedEffectsAreAccepted() {
        IdempotentConsumer<Message> consumer = consumer(ConsistencyLevel.AT_MOST_ONCE);
        quarantine(consumer, Message.partition(0, "a"), "a");
        request();
        Replayer<Message> replayer = replayer(consumer);

        carryOut(replayer.rounds(handler(replayer)));

        assertThat(bench.calls).isEmpty();
        assertThat(replays.find(REPLAY).orElseThrow().stoppedBy().orElseThrow()).contains("AT_MOST_ONCE");
    }

    @Test
    @Tag("rule-9.16")
    void seesAPauseBeforeEachMessage() {
        IdempotentConsumer<Message> consumer = consumer(ConsistencyLevel.STRONG);
        quarantine(consumer, Message.partition(0, "a", "b"), "a", "b");
        request();
        Replayer<Message> replayer = replayer(consumer);
        ReplayRounds rounds = replayer.rounds((entry, replay) -> {
            replayer.consumer().consume(message(entry), bench::handle);
            assertThat(replays.pause(replay)).isTrue();
        });

        for (int i = 0; i < 5; i++) {
            nanos.addAndGet(rounds.round().toNanos());
        }
        assertThat(bench.calls).containsExactly("a");
        assertThat(replays.resume(REPLAY)).isTrue();
        carryOut(rounds);
        assertThat(bench.calls).containsExactly("a", "b");
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
        IdempotentConsumer<Message> consumer = consumer(ConsistencyLevel.STRONG);
        quarantine(consumer, Message.partition(0, "a"), "a");
        request();
        bench.failing.put("z", new TransientStoreException("away"));
        consumer.consumeAll(List.of(Message.of("z", 0, 5)), bench::handle);
        Replayer<Message> replayer = replayer(consumer);
        ReplayRounds rounds = replayer.rounds(handler(replayer));

        nanos.addAndGet(rounds.round().toNanos());
        assertThat(bench.calls).containsExactly("z");
        nanos.addAndGet(ReplayWaits.MOST_YIELDING.toNanos());
        carryOut(rounds);

        assertThat(bench.effects).containsExactly("a");
    }

    @Test
    void refusesMessagesOutsideOfAReplay() {
        Replayer<Message> replayer = replayer(consumer(ConsistencyLevel.STRONG));
        Consumer<Message> consume = message -> replayer.consumer().consume(message, bench::handle);
        assertThatThrownBy(() -> consume.accept(Message.of("a", 0, 0))).hasMessageContaining("outside of a replay");
    }

    @Test
    void needsAQuarantine() {
        IdempotentConsumer<Message> without = IdempotentConsumer.<Message>named("billing")
                .store(bench.store)
                .messageId(Message::messageId)
                .build();
        assertThatThrownBy(() -> Replayer.of(without, replays)).hasMessageContaining("quarantine(..)");
    }
}
