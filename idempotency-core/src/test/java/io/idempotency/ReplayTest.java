package io.idempotency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.replay.Replay;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.replay.ReplayResult;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineSelection;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Quarantined messages are handled again, by the same handler and at the same level. */
class ReplayTest {

    private final ReplayScene scene = new ReplayScene();

    @Tag("rule-9.10")
    @ParameterizedTest
    @EnumSource(ConsistencyLevel.class)
    void handlesQuarantinedMessagesAgainInOrder(ConsistencyLevel level) {
        IdempotentConsumer<Message> consumer = scene.consumer(level);
        scene.quarantine(consumer, Message.partition(0, "a", "b", "c", "d"), "b", "d");
        var unused = scene.replays.request(ReplayRequest.of(QuarantineSelection.of("billing"))
                .id(ReplayScene.REPLAY)
                .acceptRepeatedEffects());
        Replayer<Message> replayer = scene.replayer(consumer);

        scene.carryOut(replayer.rounds(scene.handler(replayer)));

        assertThat(scene.bench.calls).containsExactly("b", "d");
        assertThat(scene.bench.effects).containsExactlyInAnyOrder("a", "b", "c", "d");
        assertThat(scene.bench.quarantine.list("billing", 10)).isEmpty();
        assertThat(scene.status()).isEqualTo(Replay.Status.DONE);
        assertThat(scene.progress().processed()).isEqualTo(2);
        assertThat(scene.events)
                .extracting(Replayed::result)
                .containsExactly(ReplayResult.PROCESSED, ReplayResult.PROCESSED);
        if (level != ConsistencyLevel.NONE) {
            assertThat(consumer.consume(Message.of("b", 0, 1), scene.bench::handle))
                    .isEqualTo(Outcome.DUPLICATE);
        }
    }

    @Test
    @Tag("rule-9.10")
    void givesABatchHandlerABatchOfOne() {
        IdempotentConsumer<Message> consumer = scene.consumer(ConsistencyLevel.STRONG);
        scene.quarantine(consumer, Message.partition(0, "a", "b"), "b");
        scene.request();
        Replayer<Message> replayer = scene.replayer(consumer);

        scene.carryOut(replayer.rounds((entry, replay) ->
                replayer.consumer().consumeBatch(List.of(ReplayScene.message(entry)), scene.bench::handleBatch)));

        assertThat(scene.bench.effects).containsExactly("a", "b");
    }

    @Test
    @Tag("rule-9.10")
    void takesPartInATransactionOfTheCaller() {
        IdempotentConsumer<Message> consumer = scene.consumer(ConsistencyLevel.STRONG);
        scene.quarantine(consumer, Message.partition(0, "a", "b"), "a", "b");
        scene.request();
        Replayer<Message> replayer = scene.replayer(consumer);
        scene.bench.failing.put("b", scene.poison);

        scene.carryOut(replayer.rounds((entry, replay) -> scene.bench
                .store
                .transactions()
                .inTransaction(() -> replayer.consumer().consume(ReplayScene.message(entry), scene.bench::handle))));

        assertThat(scene.bench.effects).containsExactly("a");
        assertThat(scene.kept("a")).isEmpty();
        assertThat(scene.kept("b").orElseThrow().message().attempts()).isEqualTo(2);
        assertThat(scene.progress().failed()).isEqualTo(1);
    }

    /** Otherwise its own id, which is processed, would make it a duplicate. */
    @Test
    @Tag("rule-2.14")
    void handlesAMessageWithAnotherPayloadUnderTheIdOfAProcessedOne() {
        IdempotentConsumer<Message> consumer = scene.bench
                .strong()
                .failures(FailurePolicy.quarantineAfter(1))
                .resends(new ResendCheck<>() {
                    @Override
                    public Policy policy() {
                        return Policy.QUARANTINE;
                    }

                    @Override
                    public Result compare(Message message, Duplicate duplicate) {
                        return Result.DIFFERENT;
                    }
                })
                .build();
        consumer.consumeAll(List.of(Message.of("a", 0, 0)), scene.bench::handle);
        consumer.consumeAll(List.of(Message.of("a", 0, 1)), scene.bench::handle);
        assertThat(scene.bench.effects).containsExactly("a");
        scene.request();
        Replayer<Message> replayer = scene.replayer(consumer);

        scene.carryOut(replayer.rounds(scene.handler(replayer)));

        assertThat(scene.bench.effects).containsExactly("a", "a");
        assertThat(scene.bench.quarantine.list("billing", 10)).isEmpty();
        assertThat(consumer.consume(Message.of("a", 0, 1), scene.bench::handle)).isNotEqualTo(Outcome.PROCESSED);
        assertThat(scene.bench.effects).containsExactly("a", "a");
    }

    @Test
    @Tag("rule-9.10")
    void deletesTheEntryOfAMessageThatWasProcessedMeanwhile() {
        IdempotentConsumer<Message> consumer = scene.consumer(ConsistencyLevel.STRONG);
        scene.quarantine(consumer, Message.partition(0, "a"), "a");
        scene.bench.store.unquarantine(new Delivery(new MessageId("billing", "a"), new Position("orders", 0, 0)));
        assertThat(consumer.consume(Message.of("a", 0, 7), scene.bench::handle)).isEqualTo(Outcome.PROCESSED);
        scene.request();
        Replayer<Message> replayer = scene.replayer(consumer);

        scene.carryOut(replayer.rounds(scene.handler(replayer)));

        assertThat(scene.bench.effects).containsExactly("a");
        assertThat(scene.kept("a")).isEmpty();
        assertThat(scene.progress().duplicates()).isEqualTo(1);
    }

    @Test
    @Tag("rule-9.10")
    void doesNothingForAnEntryOfAnotherGeneration() {
        IdempotentConsumer<Message> consumer = scene.consumer(ConsistencyLevel.STRONG);
        scene.quarantine(consumer, Message.partition(0, "a"), "a");
        scene.request();
        Replayer<Message> replayer = scene.replayer(consumer);
        ReplayRounds rounds = replayer.rounds((entry, replay) -> {
            // Somebody else has saved it between the list and the transaction.
            scene.bench.quarantine.save(entry.message());
            replayer.consumer().consume(ReplayScene.message(entry), scene.bench::handle);
        });

        scene.carryOut(rounds);

        assertThat(scene.bench.calls).isEmpty();
        assertThat(scene.kept("a")).isPresent();
        assertThat(scene.known("a")).isPresent();
        assertThat(scene.progress().failed()).isZero();
    }

    @Test
    @Tag("rule-9.13")
    void claimsBothIdsOfAMessageWhoseIdCouldNotBeReadBefore() {
        List<String> unreadable = new ArrayList<>(List.of("a"));
        IdempotentConsumer<Message> consumer = scene.bench
                .strong()
                .failures(FailurePolicy.quarantineAfter(1))
                .standStillAfter(Integer.MAX_VALUE)
                .messageId(message -> unreadable.contains(message.id()) ? Optional.empty() : message.messageId())
                .build();
        consumer.consumeAll(Message.partition(0, "a"), scene.bench::handle);
        MessageId standIn = scene.bench.quarantine.list("billing", 1).get(0);
        scene.request();
        Replayer<Message> replayer = scene.replayer(consumer);
        scene.bench.failing.put("a", scene.poison);
        unreadable.clear();
        ReplayRounds rounds = replayer.rounds(scene.handler(replayer));
        scene.carryOut(rounds);
        assertThat(scene.known("a"))
                .as("its id while it is in quarantine under another one")
                .isEmpty();
        assertThat(scene.bench.quarantine.find(standIn)).isPresent();

        scene.bench.failing.clear();
        var unused = scene.replays.request(
                ReplayRequest.of(QuarantineSelection.of("billing")).id("third"));
        for (int i = 0; i < 10; i++) {
            scene.nanos.addAndGet(rounds.round().toNanos());
        }

        assertThat(scene.bench.effects).containsExactly("a");
        assertThat(scene.bench.quarantine.find(standIn)).isEmpty();
        assertThat(consumer.consume(Message.of("a", 0, 9), scene.bench::handle)).isEqualTo(Outcome.DUPLICATE);
        assertThat(scene.bench.store.find(standIn)).isPresent();
    }

    @Test
    void refusesMessagesOutsideOfAReplay() {
        Replayer<Message> replayer = scene.replayer(scene.consumer(ConsistencyLevel.STRONG));
        Consumer<Message> consume = message -> replayer.consumer().consume(message, scene.bench::handle);
        assertThatThrownBy(() -> consume.accept(Message.of("a", 0, 0))).hasMessageContaining("outside of a replay");
    }

    @Test
    void saysWhatIsReplayedAndHowFarItIs() {
        IdempotentConsumer<Message> consumer = scene.consumer(ConsistencyLevel.STRONG);
        scene.quarantine(consumer, Message.partition(0, "a", "b"), "a", "b");
        var unused = scene.replays.request(ReplayRequest.of(QuarantineSelection.of("billing").stream("orders"))
                .id(ReplayScene.REPLAY));

        assertThat(scene.replays.find(ReplayScene.REPLAY).orElseThrow())
                .hasToString("Replay again of messages of billing, topic orders: RUNNING, 2 of 2 left");
    }

    @Test
    void needsAQuarantine() {
        IdempotentConsumer<Message> without = IdempotentConsumer.<Message>named("billing")
                .store(scene.bench.store)
                .messageId(Message::messageId)
                .build();
        assertThatThrownBy(() -> Replayer.of(without, scene.replays)).hasMessageContaining("quarantine(..)");
    }
}
