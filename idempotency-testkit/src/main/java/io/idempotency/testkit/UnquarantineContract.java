package io.idempotency.testkit;

import static io.idempotency.testkit.Transacted.asked;
import static io.idempotency.testkit.Transacted.claimed;
import static io.idempotency.testkit.Transacted.committed;
import static io.idempotency.testkit.Transacted.purgedAll;
import static io.idempotency.testkit.Transacted.rolledBack;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.store.Claim;
import io.idempotency.store.Claim.Status;
import io.idempotency.store.Delivery;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The contract of stores about messages that leave the quarantine: only a quarantined message becomes new again. */
public interface UnquarantineContract extends StoreContract {

    @Test
    @Tag("rule-9.1")
    default void grantsAMessageOutOfQuarantineWithinTheSameTransaction() {
        Messages messages = Messages.ofNewConsumer();
        store().quarantine(claimed(store(), messages.at("bad", 17)));

        Claim granted = committed(store(), () -> outOfQuarantine(messages.at("bad", 17)));

        assertThat(granted.isGranted()).isTrue();
        assertThat(asked(store(), messages.at("bad", 17)).status()).isEqualTo(Status.DUPLICATE);
    }

    @Test
    @Tag("rule-9.1")
    default void leavesAMessageInQuarantineIfItsTransactionRollsBack() {
        Messages messages = Messages.ofNewConsumer();
        store().quarantine(claimed(store(), messages.at("bad", 17)));

        assertThat(rolledBack(store(), () -> outOfQuarantine(messages.at("bad", 17)))
                        .isGranted())
                .isTrue();

        assertThat(asked(store(), messages.at("bad", 17)).status()).isEqualTo(Status.QUARANTINED);
    }

    @Test
    @Tag("rule-9.1")
    default void grantsAMessageThatLeftTheQuarantineEarlier() {
        Messages messages = Messages.ofNewConsumer();
        store().quarantine(claimed(store(), messages.at("bad", 17)));

        store().unquarantine(messages.at("bad", 17));

        assertThat(store().find(messages.id("bad"))).isEmpty();
        assertThat(claimed(store(), messages.at("bad", 17)).isGranted()).isTrue();
    }

    @Test
    @Tag("rule-9.1")
    default void quarantinesAMessageAgainThatItTookOut() {
        Messages messages = Messages.ofNewConsumer();
        store().quarantine(claimed(store(), messages.at("bad", 17)));

        committed(store(), () -> {
            store().quarantine(outOfQuarantine(messages.at("bad", 17)));
            return true;
        });

        assertThat(asked(store(), messages.at("bad", 17)).status()).isEqualTo(Status.QUARANTINED);
    }

    @Test
    @Tag("rule-9.1")
    default void takesAMessageOutThatThisTransactionQuarantined() {
        Messages messages = Messages.ofNewConsumer();

        committed(store(), () -> {
            store().quarantine(store().claim(List.of(messages.at("bad", 17))).get(0));
            return outOfQuarantine(messages.at("bad", 17));
        });

        assertThat(asked(store(), messages.at("bad", 17)).status()).isEqualTo(Status.DUPLICATE);
    }

    @Test
    @Tag("rule-9.1")
    default void neverTakesAProcessedMessageOut() {
        Messages messages = Messages.ofNewConsumer();
        claimed(store(), messages.at("done", 17));

        Claim inside = committed(store(), () -> outOfQuarantine(messages.at("done", 17)));

        assertThat(inside.status()).isEqualTo(Status.DUPLICATE);
        assertThat(asked(store(), messages.at("done", 17)).status()).isEqualTo(Status.DUPLICATE);
    }

    @Test
    @Tag("rule-9.2")
    default void grantsAMessageOutOfQuarantineThatThePurgeHasForgotten() {
        Messages messages = Messages.ofNewConsumer();
        store().quarantine(claimed(store(), messages.at("bad", 17)));
        claimed(store(), messages.at("later", 18));
        passTime(Duration.ofDays(9));
        claimed(store(), messages.at("new", 19));
        purgedAll(store(), Duration.ofDays(8));

        Claim granted = committed(store(), () -> outOfQuarantine(messages.at("bad", 17)));

        assertThat(granted.isGranted()).isTrue();
        assertThat(asked(store(), messages.at("bad", 17)).status()).isEqualTo(Status.DUPLICATE);
    }

    @Test
    @Tag("rule-9.1")
    default void letsALiveClaimOfTheMessageFinishFirst() {
        Messages messages = Messages.ofNewConsumer();
        try (OtherThread live = OtherThread.inTransaction(store());
                OtherThread replay = OtherThread.inTransaction(store())) {
            live.run(() -> store().claim(List.of(messages.at("sent-again", 17))));
            OtherThread.Step<Claim> waiting = replay.begin(() -> outOfQuarantine(messages.at("sent-again", 17)));
            replay.awaitWaiting(waiting);

            live.commit();

            assertThat(waiting.answerOrAgain(store()).status()).isEqualTo(Status.DUPLICATE);
        }
    }

    @Test
    @Tag("rule-9.1")
    default void makesALiveClaimWaitForTheMessageOutOfQuarantine() {
        Messages messages = Messages.ofNewConsumer();
        store().quarantine(claimed(store(), messages.at("bad", 17)));
        try (OtherThread replay = OtherThread.inTransaction(store());
                OtherThread live = OtherThread.inTransaction(store())) {
            assertThat(replay.run(() -> outOfQuarantine(messages.at("bad", 17))).isGranted())
                    .isTrue();
            OtherThread.Step<Claim> waiting = live.begin(
                    () -> store().claim(List.of(messages.at("bad", 17))).get(0));
            live.awaitWaiting(waiting);

            replay.commit();

            // It may have been answered from memory, or by a snapshot: in any case it was not granted.
            assertThat(waiting.answerOrAgain(store()).isGranted()).isFalse();
        }
        assertThat(asked(store(), messages.at("bad", 17)).status()).isEqualTo(Status.DUPLICATE);
    }

    /** Takes a message out of quarantine and claims it, in the running transaction. */
    private Claim outOfQuarantine(Delivery delivery) {
        store().unquarantine(delivery);
        return store().claim(List.of(delivery)).get(0);
    }
}
