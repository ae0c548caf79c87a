package io.idempotency.testkit;

import static io.idempotency.testkit.Transacted.committed;
import static io.idempotency.testkit.Transacted.rolledBack;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.replay.Replay;
import io.idempotency.replay.Replay.Progress;
import io.idempotency.replay.Replay.Status;
import io.idempotency.replay.ReplayPlan;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.replay.ReplayResult;
import io.idempotency.replay.ReplayStore;
import io.idempotency.replay.ReplayStore.Item;
import io.idempotency.replay.ReplayStore.Partition;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Payload.Origin;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.QuarantinedMessage;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The contract of stores of replays.
 *
 * @see StoreContract the questions that a store's test answers
 */
public interface ReplayContract extends QuarantineSelectionContract {

    /** Returns the replays of {@link #quarantine()}. */
    ReplayStore replays();

    @Test
    @Tag("rule-9.5")
    default void freezesTheMessagesAtTheRequest() {
        Messages messages = quarantined(3);

        Replay replay = replays().request(all(messages).by("ada", "INC-42").perSecond(7));
        save(messages.at("m-9", 9), "A");

        assertThat(replay.status()).isEqualTo(Status.RUNNING);
        assertThat(replay.progress()).isEqualTo(new Progress(3, 0, 0, 0, 0));
        assertThat(replay.request().actor()).isEqualTo("ada");
        assertThat(replay.request().reason()).isEqualTo("INC-42");
        assertThat(replay.request().perSecond()).isEqualTo(7);
        assertThat(replay.selection()).contains(messages.consumer());
        assertThat(replays().find(replay.request().id())).contains(replay);
        assertThat(next(replay)).extracting(Item::id).containsExactlyElementsOf(ids(messages, 3));
        assertThat(quarantine().find(messages.id("m-1")).flatMap(QuarantineEntry::replay))
                .contains(replay.request().id());
        assertThat(quarantine().find(messages.id("m-9")).flatMap(QuarantineEntry::replay))
                .isEmpty();
    }

    @Test
    @Tag("rule-9.5")
    default void takesTheFirstMessagesUpToTheLimit() {
        Messages messages = quarantined(3);
        QuarantineSelection one = QuarantineSelection.of(messages.consumer()).limit(1);

        Replay first = replays().request(ReplayRequest.of(one));
        Replay second = replays().request(ReplayRequest.of(one));

        assertThat(next(first)).extracting(Item::id).containsExactly(messages.id("m-0"));
        assertThat(next(second)).extracting(Item::id).containsExactly(messages.id("m-1"));
    }

    @Test
    @Tag("rule-9.5")
    default void keepsAMessageInOneRunningReplay() {
        Messages messages = quarantined(3);
        Replay first = replays().request(some(messages, "m-0", "m-1"));

        Replay rest = replays().request(all(messages));

        assertThat(rest.progress().total()).isEqualTo(1);
        assertThatThrownBy(() -> replays().request(all(messages)))
                .isInstanceOf(IdempotencyException.class)
                .hasMessageContaining(first.request().id())
                .hasMessageContaining(rest.request().id());
        assertThatThrownBy(() -> replays().request(all(Messages.ofNewConsumer())))
                .isInstanceOf(IdempotencyException.class)
                .hasMessageContaining("nothing to replay");
    }

    @Test
    @Tag("rule-9.5")
    default void changesNothingAtASecondRequestWithTheSameId() {
        Messages messages = quarantined(3);
        Replay first = replays().request(some(messages, "m-0"));

        Replay second = replays().request(all(messages).id(first.request().id()));

        assertThat(second).isEqualTo(first);
        assertThat(next(first)).hasSize(1);
    }

    @Test
    @Tag("rule-9.5")
    default void givesEachMessageToOneOfTwoRequestsAtTheSameTime() {
        Messages messages = quarantined(3);
        try (OtherThread first = OtherThread.inTransaction(store());
                OtherThread second = OtherThread.inTransaction(store())) {
            assertThat(first.run(() -> replays().request(some(messages, "m-0", "m-1")))
                            .progress()
                            .total())
                    .isEqualTo(2);
            OtherThread.Step<Replay> waiting = second.begin(() -> replays().request(all(messages)));
            second.awaitWaiting(waiting);

            first.commit();

            assertThat(waiting.answerOrAgain(store()).progress().total()).isEqualTo(1);
        }
    }

    @Test
    @Tag("rule-9.5")
    default void beginsOneReplayForTwoRequestsWithTheSameIdAtTheSameTime() {
        Messages messages = quarantined(2);
        ReplayRequest request = all(messages);
        try (OtherThread first = OtherThread.inTransaction(store());
                OtherThread second = OtherThread.inTransaction(store())) {
            Replay begun = first.run(() -> replays().request(request));
            OtherThread.Step<Replay> waiting = second.begin(() -> replays().request(request));
            second.awaitWaiting(waiting);

            first.commit();

            assertThat(waiting.answerOrAgain(store())).isEqualTo(begun);
        }
        assertThat(replays().list(messages.consumer(), 10)).hasSize(1);
    }

    @Test
    @Tag("rule-9.5")
    default void takesARequestBackWithItsTransaction() {
        Messages messages = quarantined(1);

        Replay replay = rolledBack(store(), () -> replays().request(all(messages)));

        assertThat(replays().find(replay.request().id())).isEmpty();
        assertThat(quarantine().find(messages.id("m-0")).flatMap(QuarantineEntry::replay))
                .isEmpty();
    }

    @Test
    @Tag("rule-9.5")
    default void plansWithoutAChange() {
        Messages messages = quarantined(2);
        save(messages.at("b", 1, 5), "B");
        quarantine().save(message(messages.at("position-only", 1, 6), "B", Origin.POSITION_ONLY));
        replays().request(some(messages, "m-0"));
        Transacted.claimed(store(), messages.at("b", 1, 5));

        ReplayPlan plan = replays().plan(all(messages));

        assertThat(plan.total()).isEqualTo(3);
        assertThat(plan.inOtherReplays()).isEqualTo(1);
        assertThat(plan.withoutBytes()).isEqualTo(1);
        assertThat(plan.alreadyProcessed()).isEqualTo(seesAllPartitions() ? 1 : 0);
        assertThat(plan.byFailure().toString()).isEqualTo("{some.FailureB=2, some.FailureA=1}");
        assertThat(plan.byPartition().toString()).isEqualTo("{orders-0=1, orders-1=2}");
        assertThat(plan.oldest())
                .isEqualTo(quarantine().find(messages.id("m-1")).map(QuarantineEntry::firstAt));
        assertThat(quarantine().find(messages.id("m-1")).flatMap(QuarantineEntry::replay))
                .isEmpty();
    }

    @Test
    @Tag("rule-9.6")
    default void pausesResumesAndStops() {
        Messages messages = quarantined(2);
        String id = replays().request(all(messages)).request().id();

        assertThat(replays().resume(id)).isFalse();
        assertThat(replays().pause(id)).isTrue();
        assertThat(replays().pause(id)).isFalse();
        assertThat(replays().running(messages.consumer())).isEmpty();
        assertThat(next(found(id))).isEmpty();
        assertThat(replays().resume(id)).isTrue();
        assertThat(replays().running(messages.consumer())).containsExactly(found(id));
        assertThat(replays().stop(id, "no need")).isTrue();
        assertThat(replays().stop(id, "again")).isFalse();
        assertThat(replays().resume(id)).isFalse();

        assertThat(found(id).status()).isEqualTo(Status.STOPPED);
        assertThat(found(id).stoppedBy()).contains("no need");
        assertThat(found(id).endedAt()).isPresent();
        assertThat(replays().endIfDone(id)).isTrue();
        assertThat(replays().stop("absent-" + UUID.randomUUID(), "x")).isFalse();
    }

    @Test
    @Tag("rule-9.6")
    default void freesTheMessagesOfAStoppedReplay() {
        Messages messages = quarantined(2);
        String stopped = replays().request(all(messages)).request().id();
        replays().stop(stopped, "no need");

        assertThat(next(found(stopped))).isEmpty();
        assertThat(quarantine().find(messages.id("m-0")).flatMap(QuarantineEntry::replay))
                .isEmpty();
        assertThat(replays().request(all(messages)).progress().total()).isEqualTo(2);
    }

    @Test
    @Tag("rule-9.6")
    default void isDoneWhenNoMessageIsLeft() {
        Messages messages = quarantined(3);
        String id = replays().request(all(messages)).request().id();

        settle(id, messages.at("m-0", 0), ReplayResult.PROCESSED);
        settle(id, messages.at("m-1", 1), ReplayResult.DUPLICATE);
        assertThat(replays().endIfDone(id)).isFalse();
        fail(id, messages.at("m-2", 2), ReplayResult.UNREADABLE, "B");

        assertThat(replays().endIfDone(id)).isTrue();
        assertThat(found(id).status()).isEqualTo(Status.DONE);
        assertThat(found(id).progress()).isEqualTo(new Progress(3, 1, 1, 0, 1));
        assertThat(found(id).progress().left()).isZero();
        assertThat(quarantine().find(messages.id("m-2"))).isPresent();
    }

    @Test
    @Tag("rule-9.6")
    default void takesACountBackWithItsTransaction() {
        Messages messages = quarantined(1);
        String id = replays().request(all(messages)).request().id();

        rolledBack(store(), () -> {
            replays().count(id, ReplayResult.PROCESSED, Optional.empty());
            return true;
        });

        assertThat(found(id).progress().processed()).isZero();
    }

    @Test
    @Tag("rule-9.6")
    default void stopsAfterEqualFailuresInARow() {
        Messages messages = quarantined(9);
        String id = replays().request(all(messages).stopAfter(2)).request().id();

        fail(id, messages.at("m-0", 0), ReplayResult.FAILED, "A");
        fail(id, messages.at("m-1", 1), ReplayResult.FAILED, "B");
        settle(id, messages.at("m-2", 2), ReplayResult.PROCESSED);
        fail(id, messages.at("m-3", 3), ReplayResult.FAILED, "B");
        settle(id, messages.at("m-4", 4), ReplayResult.DUPLICATE);
        assertThat(found(id).status()).isEqualTo(Status.RUNNING);
        fail(id, messages.at("m-5", 5), ReplayResult.FAILED, "B");

        assertThat(found(id).status()).isEqualTo(Status.STOPPED);
        assertThat(found(id).stoppedBy().orElseThrow()).contains("2 equal failures in a row", "some.FailureB");
        assertThat(found(id).progress()).isEqualTo(new Progress(9, 1, 1, 4, 0));
        assertThat(next(found(id))).isEmpty();
    }

    @Test
    @Tag("rule-9.7")
    default void listsMessagesByPartitionAndOffset() {
        Messages messages = Messages.ofNewConsumer();
        for (Delivery each : List.of(messages.at("c", 1, 7), messages.at("b", 0, 10), messages.at("a", 0, 9))) {
            save(each, "A");
        }
        String id = replays().request(all(messages)).request().id();

        assertThat(replays().partitions(id)).containsExactly(new Partition("orders", 0), new Partition("orders", 1));
        assertThat(replays().next(id, new Partition("orders", 0), 1))
                .extracting(Item::position)
                .containsExactly(messages.at("a", 0, 9).position());
        assertThat(replays().next(id, new Partition("orders", 0), 5))
                .extracting(Item::id)
                .containsExactly(messages.id("a"), messages.id("b"));
        assertThat(replays().next(id, new Partition("unknown", 0), 5)).isEmpty();
        Item first = replays().next(id, new Partition("orders", 1), 5).get(0);
        assertThat(committed(store(), () -> quarantine().take(first.id(), first.generation())))
                .isPresent();
    }

    @Test
    @Tag("rule-9.7")
    default void givesTheTurnToOneNodeAtATime() {
        Messages messages = Messages.ofNewConsumer();
        Partition partition = new Partition("orders", 3);
        Duration minute = Duration.ofMinutes(1);

        assertThat(takeTurn(messages, partition, "one", minute)).isTrue();
        assertThat(takeTurn(messages, partition, "other", minute)).isFalse();
        assertThat(takeTurn(messages, partition, "one", minute)).isTrue();
        assertThat(takeTurn(messages, new Partition("orders", 4), "other", minute))
                .isTrue();
        replays().endTurn(messages.consumer(), partition, "other");
        assertThat(takeTurn(messages, partition, "other", minute)).isFalse();

        replays().endTurn(messages.consumer(), partition, "one");

        assertThat(takeTurn(messages, partition, "other", minute)).isTrue();
    }

    @Test
    @Tag("rule-9.7")
    default void givesTheTurnOfADeadNodeToAnother() {
        Messages messages = Messages.ofNewConsumer();
        Partition partition = new Partition("orders", 3);
        takeTurn(messages, partition, "dead", Duration.ofMinutes(1));

        passTime(Duration.ofMinutes(2));

        assertThat(takeTurn(messages, partition, "other", Duration.ofMinutes(1)))
                .isTrue();
        assertThat(takeTurn(messages, partition, "dead", Duration.ofMinutes(1))).isFalse();
    }

    private boolean takeTurn(Messages messages, Partition partition, String node, Duration length) {
        return replays().takeTurn(messages.consumer(), partition, node, length);
    }

    private Messages quarantined(int count) {
        Messages messages = Messages.ofNewConsumer();
        messages.inARow(count).forEach(delivery -> save(delivery, "A"));
        return messages;
    }

    private static List<MessageId> ids(Messages messages, int count) {
        return IntStream.range(0, count).mapToObj(i -> messages.id("m-" + i)).toList();
    }

    private Replay found(String id) {
        return replays().find(id).orElseThrow();
    }

    private List<Item> next(Replay replay) {
        return replays().next(replay.request().id(), new Partition("orders", 0), 100);
    }

    private void settle(String id, Delivery delivery, ReplayResult result) {
        committed(store(), () -> {
            assertThat(quarantine().delete(delivery.id())).isTrue();
            replays().count(id, result, Optional.empty());
            return true;
        });
    }

    private void fail(String id, Delivery delivery, ReplayResult result, String group) {
        committed(store(), () -> {
            QuarantinedMessage again = message(delivery, group, Origin.RAW);
            quarantine().save(again);
            replays().count(id, result, Optional.of(again.failure()));
            return true;
        });
    }

    private static ReplayRequest all(Messages messages) {
        return ReplayRequest.of(QuarantineSelection.of(messages.consumer()));
    }

    private static ReplayRequest some(Messages messages, String... ids) {
        return ReplayRequest.of(QuarantineSelection.of(messages.consumer()).ids(List.of(ids)));
    }

    private void save(Delivery delivery, String group) {
        quarantine().save(message(delivery, group, Origin.RAW));
    }

    private static QuarantinedMessage message(Delivery delivery, String group, Origin origin) {
        return new QuarantinedMessage(
                delivery,
                new Payload(null, null, List.of(), origin),
                new QuarantineFailure("some.Failure" + group, group, "text"),
                1);
    }
}
