package io.idempotency.testkit;

import static io.idempotency.testkit.Transacted.committed;
import static io.idempotency.testkit.Transacted.rolledBack;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantineStore.Follower;
import io.idempotency.store.QuarantinedMessage;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The contract of quarantines that keep the order of keys: they know which keys have messages in quarantine, and which message comes next.
 *
 * @see StoreContract the questions that a store's test answers
 */
public interface KeyOrderContract extends StoreContract {

    /** Returns the quarantine under test. It joins the transactions of {@link #store()}. */
    QuarantineStore quarantine();

    @Test
    @Tag("rule-10.2")
    default void knowsTheKeysOfAPartition() {
        String consumer = Messages.ofNewConsumer().id("x").consumer();
        keep(message(consumer, 0, 1, 7), message(consumer, 0, 2, -8), message(consumer, 0, 3, 7));
        keep(message(consumer, 0, 4, 0), message(consumer, 1, 1, 9));

        assertThat(quarantine().keyHashes(consumer, "orders", 0, 10)).containsExactlyInAnyOrder(7L, -8L);
        assertThat(quarantine().keyHashes(consumer, "orders", 0, 1)).hasSize(1);
        assertThat(quarantine().keyHashes(consumer, "orders", 2, 10)).isEmpty();
        assertThat(quarantine().keyHashes(consumer, "a-topic-without-messages", 0, 10))
                .isEmpty();
        assertThat(quarantine().keyHashes(consumer + "-other", "orders", 0, 10)).isEmpty();
    }

    @Test
    @Tag("rule-10.4")
    default void findsTheLastMessageOfAKeyBeforeAPosition() {
        String consumer = Messages.ofNewConsumer().id("x").consumer();
        keep(message(consumer, 0, 1, 7), message(consumer, 0, 2, 7), message(consumer, 0, 3, 8));

        assertThat(quarantine().lastBefore(consumer, at(0, 4), 7)).contains(delivery(consumer, 0, 2));
        assertThat(quarantine().lastBefore(consumer, at(0, 2), 7)).contains(delivery(consumer, 0, 1));
        assertThat(quarantine().lastBefore(consumer, at(0, 1), 7)).isEmpty();
        assertThat(quarantine().lastBefore(consumer, at(1, 4), 7)).isEmpty();
        assertThat(quarantine().lastBefore(consumer, at(0, 4), 9)).isEmpty();
    }

    @Test
    @Tag("rule-10.4")
    default void countsTheMessagesBehindOne() {
        String consumer = Messages.ofNewConsumer().id("x").consumer();
        keep(message(consumer, 0, 1, 7), behind(consumer, 0, 2, 7), behind(consumer, 0, 3, 7));
        keep(behind(consumer, 0, 4, 8), behind(consumer, 1, 5, 7), message(consumer, 0, 6, 7));

        assertThat(quarantine().countBehind(consumer, at(0, 1), 7)).isEqualTo(2);
        assertThat(quarantine().countBehind(consumer, at(0, 2), 7)).isEqualTo(1);
        assertThat(quarantine().countBehind(consumer, at(0, 3), 7)).isZero();
        assertThat(quarantine().countBehind(consumer + "-other", at(0, 1), 7)).isZero();
    }

    @Test
    @Tag("rule-10.4")
    default void seesItsOwnChangesAndNoneThatAreRolledBack() {
        String consumer = Messages.ofNewConsumer().id("x").consumer();
        rolledBack(store(), () -> keep(message(consumer, 0, 1, 7)));
        assertThat(quarantine().lastBefore(consumer, at(0, 2), 7)).isEmpty();

        committed(store(), () -> {
            keep(message(consumer, 0, 1, 7));
            return assertThat(quarantine().lastBefore(consumer, at(0, 2), 7)).isPresent();
        });

        assertThat(quarantine().lastBefore(consumer, at(0, 2), 7)).isPresent();
    }

    @Test
    @Tag("rule-10.6")
    default void listsTheFirstMessageOfEachKeyIfItIsBehind() {
        String consumer = Messages.ofNewConsumer().id("x").consumer();
        keep(message(consumer, 0, 1, 7), behind(consumer, 0, 2, 7));
        keep(
                behind(consumer, 0, 5, 8),
                behind(consumer, 0, 6, 8),
                behind(consumer, 1, 1, 8),
                behind(consumer, 0, 3, 9));

        assertThat(free(consumer)).containsExactlyInAnyOrder(at(0, 3), at(0, 5), at(1, 1));
        assertThat(free(consumer)).containsSubsequence(at(0, 3), at(0, 5));
        assertThat(quarantine().freeFollowers(consumer, 1)).hasSize(1);

        quarantine().delete(new MessageId(consumer, "0-1"));
        quarantine().delete(new MessageId(consumer, "0-5"));

        assertThat(free(consumer)).containsExactlyInAnyOrder(at(0, 2), at(0, 3), at(0, 6), at(1, 1));
        Follower first = quarantine().freeFollowers(consumer, 10).stream()
                .filter(follower -> follower.position().equals(at(0, 2)))
                .findFirst()
                .orElseThrow();
        assertThat(first.generation())
                .isEqualTo(quarantine().find(first.id()).orElseThrow().generation());
    }

    @Test
    @Tag("rule-10.6")
    default void aFollowerThatFailsIsNoFollowerAnyMore() {
        String consumer = Messages.ofNewConsumer().id("x").consumer();
        keep(behind(consumer, 0, 2, 7), behind(consumer, 0, 3, 7));

        quarantine().save(message(consumer, 0, 2, 7));

        assertThat(free(consumer)).isEmpty();
    }

    private List<Position> free(String consumer) {
        return quarantine().freeFollowers(consumer, 10).stream()
                .map(Follower::position)
                .toList();
    }

    private boolean keep(QuarantinedMessage... messages) {
        for (QuarantinedMessage message : messages) {
            quarantine().save(message);
        }
        return true;
    }

    private static Position at(int partition, long offset) {
        return new Position("orders", partition, offset);
    }

    private static Delivery delivery(String consumer, int partition, long offset) {
        return new Delivery(new MessageId(consumer, partition + "-" + offset), at(partition, offset), 1_000 + offset);
    }

    private static QuarantinedMessage message(String consumer, int partition, long offset, long keyHash) {
        return message(delivery(consumer, partition, offset), keyHash, false);
    }

    private static QuarantinedMessage behind(String consumer, int partition, long offset, long keyHash) {
        return message(delivery(consumer, partition, offset), keyHash, true);
    }

    private static QuarantinedMessage message(Delivery delivery, long keyHash, boolean isBehind) {
        return new QuarantinedMessage(
                delivery,
                Payload.none(Payload.Origin.SWITCHED_OFF),
                new QuarantineFailure("Poison", "", "poison"),
                0,
                keyHash,
                isBehind);
    }
}
