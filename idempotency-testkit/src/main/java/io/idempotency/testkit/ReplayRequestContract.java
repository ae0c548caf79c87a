package io.idempotency.testkit;

import static io.idempotency.testkit.Transacted.rolledBack;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.replay.Replay;
import io.idempotency.replay.Replay.Progress;
import io.idempotency.replay.Replay.Status;
import io.idempotency.replay.ReplayPlan;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.replay.ReplayStore;
import io.idempotency.replay.ReplayStore.Item;
import io.idempotency.store.ConflictException;
import io.idempotency.store.Payload.Origin;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineSelection;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The contract of stores of replays, about requests.
 *
 * @see StoreContract the questions that a store's test answers
 */
public interface ReplayRequestContract extends QuarantineSelectionContract {

    /** Returns the replays of {@link #quarantine()}. */
    ReplayStore replays();

    private ReplayScene scene() {
        return new ReplayScene(store(), quarantine(), replays());
    }

    @Test
    @Tag("rule-9.5")
    default void freezesTheMessagesAtTheRequest() {
        Messages messages = scene().quarantined(3);

        Replay replay =
                replays().request(scene().all(messages).by("ada", "INC-42").perSecond(7));
        scene().save(messages.at("m-9", 9), "A");

        assertThat(replay.status()).isEqualTo(Status.RUNNING);
        assertThat(replay.progress()).isEqualTo(new Progress(3, 0, 0, 0, 0));
        assertThat(replay.request().actor()).isEqualTo("ada");
        assertThat(replay.request().reason()).isEqualTo("INC-42");
        assertThat(replay.request().perSecond()).isEqualTo(7);
        assertThat(replay.selection()).contains(messages.consumer());
        assertThat(replays().find(replay.request().id())).contains(replay);
        assertThat(scene().next(replay)).extracting(Item::id).containsExactlyElementsOf(scene().ids(messages, 3));
        assertThat(quarantine().find(messages.id("m-1")).flatMap(QuarantineEntry::replay))
                .contains(replay.request().id());
        assertThat(quarantine().find(messages.id("m-9")).flatMap(QuarantineEntry::replay))
                .isEmpty();
    }

    @Test
    @Tag("rule-9.5")
    default void takesTheFirstMessagesUpToTheLimit() {
        Messages messages = scene().quarantined(3);
        QuarantineSelection one = QuarantineSelection.of(messages.consumer()).limit(1);

        Replay first = replays().request(ReplayRequest.of(one));
        Replay second = replays().request(ReplayRequest.of(one));

        assertThat(scene().next(first)).extracting(Item::id).containsExactly(messages.id("m-0"));
        assertThat(scene().next(second)).extracting(Item::id).containsExactly(messages.id("m-1"));
    }

    @Test
    @Tag("rule-9.5")
    default void keepsAMessageInOneRunningReplay() {
        Messages messages = scene().quarantined(3);
        Replay first = replays().request(scene().some(messages, "m-0", "m-1"));

        Replay rest = replays().request(scene().all(messages));

        assertThat(rest.progress().total()).isEqualTo(1);
        assertThatThrownBy(() -> replays().request(scene().all(messages)))
                .isInstanceOf(ConflictException.class)
                .hasMessageContaining(first.request().id())
                .hasMessageContaining(rest.request().id());
        assertThatThrownBy(() -> replays().request(scene().all(Messages.ofNewConsumer())))
                .isInstanceOf(ConflictException.class)
                .hasMessageContaining("nothing to replay");
    }

    @Test
    @Tag("rule-9.5")
    default void changesNothingAtASecondRequestWithTheSameId() {
        Messages messages = scene().quarantined(3);
        ReplayRequest request = scene().some(messages, "m-0");
        Replay first = replays().request(request);

        Replay second = replays().request(request.by("bob", "again"));

        assertThat(second).isEqualTo(first);
        assertThat(scene().next(first)).hasSize(1);
    }

    /** Whoever asks for other messages would read the answer as if it were about these. */
    @Test
    @Tag("rule-9.5")
    default void refusesTheIdOfAReplayOfOtherMessages() {
        Messages messages = scene().quarantined(3);
        Replay first = replays().request(scene().some(messages, "m-0"));

        assertThatThrownBy(() -> replays()
                        .request(scene().all(messages).id(first.request().id())))
                .isInstanceOf(ConflictException.class)
                .hasMessageContaining(first.request().id())
                .hasMessageContaining("m-0");

        assertThat(scene().next(first)).hasSize(1);
    }

    @Test
    @Tag("rule-9.5")
    default void givesEachMessageToOneOfTwoRequestsAtTheSameTime() {
        Messages messages = scene().quarantined(3);
        try (OtherThread first = OtherThread.inTransaction(store());
                OtherThread second = OtherThread.inTransaction(store())) {
            assertThat(first.run(() -> replays().request(scene().some(messages, "m-0", "m-1")))
                            .progress()
                            .total())
                    .isEqualTo(2);
            OtherThread.Step<Replay> waiting = second.begin(() -> replays().request(scene().all(messages)));
            second.awaitWaiting(waiting);

            first.commit();

            assertThat(waiting.answerOrAgain(store()).progress().total()).isEqualTo(1);
        }
    }

    @Test
    @Tag("rule-9.5")
    default void beginsOneReplayForTwoRequestsWithTheSameIdAtTheSameTime() {
        Messages messages = scene().quarantined(2);
        ReplayRequest request = scene().all(messages);
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
        Messages messages = scene().quarantined(1);

        Replay replay = rolledBack(store(), () -> replays().request(scene().all(messages)));

        assertThat(replays().find(replay.request().id())).isEmpty();
        assertThat(quarantine().find(messages.id("m-0")).flatMap(QuarantineEntry::replay))
                .isEmpty();
    }

    @Test
    @Tag("rule-9.5")
    default void plansWithoutAChange() {
        Messages messages = scene().quarantined(2);
        scene().save(messages.at("b", 1, 5), "B");
        quarantine().save(scene().message(messages.at("position-only", 1, 6), "B", Origin.POSITION_ONLY));
        replays().request(scene().some(messages, "m-0"));
        Transacted.claimed(store(), messages.at("b", 1, 5));

        ReplayPlan plan = replays().plan(scene().all(messages));

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
}
