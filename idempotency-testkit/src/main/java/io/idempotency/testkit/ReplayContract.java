package io.idempotency.testkit;

import static io.idempotency.testkit.Transacted.committed;
import static io.idempotency.testkit.Transacted.rolledBack;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.replay.Replay.Progress;
import io.idempotency.replay.Replay.Status;
import io.idempotency.replay.ReplayResult;
import io.idempotency.replay.ReplayStore.Item;
import io.idempotency.replay.ReplayStore.Partition;
import io.idempotency.store.Delivery;
import io.idempotency.store.Payload.Origin;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantinedMessage;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The contract of stores of replays.
 *
 * @see StoreContract the questions that a store's test answers
 */
public interface ReplayContract extends ReplayRequestContract {

    private ReplayScene scene() {
        return new ReplayScene(store(), quarantine(), replays());
    }

    @Test
    @Tag("rule-9.6")
    default void pausesResumesAndStops() {
        Messages messages = scene().quarantined(2);
        String id = replays().request(scene().all(messages)).request().id();

        assertThat(replays().resume(id)).isFalse();
        assertThat(replays().pause(id)).isTrue();
        assertThat(replays().pause(id)).isFalse();
        assertThat(replays().running(messages.consumer())).isEmpty();
        assertThat(scene().next(scene().found(id))).isEmpty();
        assertThat(replays().resume(id)).isTrue();
        assertThat(replays().running(messages.consumer())).containsExactly(scene().found(id));
        assertThat(replays().stop(id, "no need")).isTrue();
        assertThat(replays().stop(id, "again")).isFalse();
        assertThat(replays().resume(id)).isFalse();

        assertThat(scene().found(id).status()).isEqualTo(Status.STOPPED);
        assertThat(scene().found(id).stoppedBy()).contains("no need");
        assertThat(scene().found(id).endedAt()).isPresent();
        assertThat(replays().endIfDone(id)).isTrue();
        assertThat(replays().stop("absent-" + UUID.randomUUID(), "x")).isFalse();
    }

    @Test
    @Tag("rule-9.6")
    default void freesTheMessagesOfAStoppedReplay() {
        Messages messages = scene().quarantined(2);
        String stopped = replays().request(scene().all(messages)).request().id();
        replays().stop(stopped, "no need");

        assertThat(scene().next(scene().found(stopped))).isEmpty();
        assertThat(quarantine().find(messages.id("m-0")).flatMap(QuarantineEntry::replay))
                .isEmpty();
        assertThat(replays().request(scene().all(messages)).progress().total()).isEqualTo(2);
    }

    @Test
    @Tag("rule-9.6")
    default void isDoneWhenNoMessageIsLeft() {
        Messages messages = scene().quarantined(3);
        String id = replays().request(scene().all(messages)).request().id();

        scene().settle(id, messages.at("m-0", 0), ReplayResult.PROCESSED);
        scene().settle(id, messages.at("m-1", 1), ReplayResult.DUPLICATE);
        assertThat(replays().endIfDone(id)).isFalse();
        scene().fail(id, messages.at("m-2", 2), ReplayResult.UNREADABLE, "B");

        assertThat(replays().endIfDone(id)).isTrue();
        assertThat(scene().found(id).status()).isEqualTo(Status.DONE);
        assertThat(scene().found(id).progress()).isEqualTo(new Progress(3, 1, 1, 0, 1));
        assertThat(scene().found(id).progress().left()).isZero();
        assertThat(quarantine().find(messages.id("m-2"))).isPresent();
    }

    @Test
    @Tag("rule-9.6")
    default void saysWhichMessagesLeftItWithoutAResult() {
        Messages messages = scene().quarantined(2);
        String id = replays().request(scene().all(messages)).request().id();
        scene().save(messages.at("m-0", 0), "A");
        scene().settle(id, messages.at("m-1", 1), ReplayResult.PROCESSED);

        assertThat(replays().endIfDone(id)).isTrue();

        assertThat(scene().found(id).status()).isEqualTo(Status.DONE);
        assertThat(scene().found(id).stoppedBy().orElseThrow()).startsWith("1 of 2 messages left it");
    }

    @Test
    @Tag("rule-10.6")
    default void letsAMessageBehindAnotherFollowWhenItsReplayHasEnded() {
        Messages messages = Messages.ofNewConsumer();
        quarantine().save(behind(messages.at("m-2", 2)));
        String id = replays().request(scene().all(messages)).request().id();
        assertThat(quarantine().freeFollowers(messages.consumer(), 10)).isEmpty();

        replays().stop(id, "no need");

        assertThat(quarantine().freeFollowers(messages.consumer(), 10))
                .extracting(QuarantineStore.Follower::id)
                .containsExactly(messages.id("m-2"));
    }

    private QuarantinedMessage behind(Delivery delivery) {
        QuarantinedMessage message = scene().message(delivery, "A", Origin.RAW);
        return new QuarantinedMessage(delivery, message.payload(), message.failure(), 0, 7, true);
    }

    @Test
    @Tag("rule-9.6")
    default void takesACountBackWithItsTransaction() {
        Messages messages = scene().quarantined(1);
        String id = replays().request(scene().all(messages)).request().id();

        rolledBack(store(), () -> {
            replays().count(id, ReplayResult.PROCESSED, Optional.empty());
            return true;
        });

        assertThat(scene().found(id).progress().processed()).isZero();
    }

    @Test
    @Tag("rule-9.6")
    default void stopsAfterEqualFailuresInARow() {
        Messages messages = scene().quarantined(9);
        String id =
                replays().request(scene().all(messages).stopAfter(2)).request().id();

        scene().fail(id, messages.at("m-0", 0), ReplayResult.FAILED, "A");
        scene().fail(id, messages.at("m-1", 1), ReplayResult.FAILED, "B");
        scene().settle(id, messages.at("m-2", 2), ReplayResult.PROCESSED);
        scene().fail(id, messages.at("m-3", 3), ReplayResult.FAILED, "B");
        scene().settle(id, messages.at("m-4", 4), ReplayResult.DUPLICATE);
        assertThat(scene().found(id).status()).isEqualTo(Status.RUNNING);
        scene().fail(id, messages.at("m-5", 5), ReplayResult.FAILED, "B");

        assertThat(scene().found(id).status()).isEqualTo(Status.STOPPED);
        assertThat(scene().found(id).stoppedBy().orElseThrow()).contains("2 equal failures in a row", "some.FailureB");
        assertThat(scene().found(id).progress()).isEqualTo(new Progress(9, 1, 1, 4, 0));
        assertThat(scene().next(scene().found(id))).isEmpty();
    }

    @Test
    @Tag("rule-9.7")
    default void listsMessagesByPartitionAndOffset() {
        Messages messages = Messages.ofNewConsumer();
        for (Delivery each : List.of(messages.at("c", 1, 7), messages.at("b", 0, 10), messages.at("a", 0, 9))) {
            scene().save(each, "A");
        }
        String id = replays().request(scene().all(messages)).request().id();

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

        assertThat(scene().takeTurn(messages, partition, "one", minute)).isTrue();
        assertThat(scene().takeTurn(messages, partition, "other", minute)).isFalse();
        assertThat(scene().takeTurn(messages, partition, "one", minute)).isTrue();
        assertThat(scene().takeTurn(messages, new Partition("orders", 4), "other", minute))
                .isTrue();
        replays().endTurn(messages.consumer(), partition, "other");
        assertThat(scene().takeTurn(messages, partition, "other", minute)).isFalse();

        replays().endTurn(messages.consumer(), partition, "one");

        assertThat(scene().takeTurn(messages, partition, "other", minute)).isTrue();
    }

    @Test
    @Tag("rule-9.7")
    default void givesTheTurnOfADeadNodeToAnother() {
        Messages messages = Messages.ofNewConsumer();
        Partition partition = new Partition("orders", 3);
        scene().takeTurn(messages, partition, "dead", Duration.ofMinutes(1));

        passTime(Duration.ofMinutes(2));

        assertThat(scene().takeTurn(messages, partition, "other", Duration.ofMinutes(1)))
                .isTrue();
        assertThat(scene().takeTurn(messages, partition, "dead", Duration.ofMinutes(1)))
                .isFalse();
    }
}
