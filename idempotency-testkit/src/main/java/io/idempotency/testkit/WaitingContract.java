package io.idempotency.testkit;

import static io.idempotency.testkit.Transacted.asked;
import static io.idempotency.testkit.Transacted.claimed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.store.Claim;
import io.idempotency.store.Claim.Status;
import io.idempotency.store.Delivery;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The contract of stores about concurrent claims: the second claim of a message waits for the end of the first, up to a limit. */
public interface WaitingContract extends StoreContract {

    @Test
    default void hidesAClaimUntilItIsCommitted() {
        Messages messages = Messages.ofNewConsumer();
        try (OtherThread other = OtherThread.inTransaction(store())) {
            other.run(() -> store().claim(List.of(messages.at("order-1", 1))));

            assertThat(store().find(messages.id("order-1"))).isEmpty();
            other.commit();
        }
        assertThat(store().find(messages.id("order-1"))).isPresent();
    }

    @Test
    @Tag("rule-3.2")
    @Tag("rule-6.4")
    default void makesASecondClaimWaitAndThenCallsItADuplicate() {
        Messages messages = Messages.ofNewConsumer();
        try (OtherThread first = OtherThread.inTransaction(store());
                OtherThread second = OtherThread.inTransaction(store())) {
            first.run(() -> store().claim(List.of(messages.at("order-1", 1))));
            OtherThread.Step<List<Claim>> waiting =
                    second.begin(() -> store().claim(List.of(messages.at("order-1", 2))));
            second.awaitWaiting(waiting);
            assertThat(waiting.isDone())
                    .as("answered before the first has ended")
                    .isFalse();

            first.commit();

            Claim claim = waiting.answerOrAgain(store()).get(0);
            assertThat(claim.status()).isEqualTo(Status.DUPLICATE);
            assertThat(claim.processed().orElseThrow().position())
                    .isEqualTo(messages.at("order-1", 1).position());
        }
    }

    @Test
    @Tag("rule-3.2")
    default void makesASecondClaimWaitAndThenGrantsItIfTheFirstIsRolledBack() {
        Messages messages = Messages.ofNewConsumer();
        try (OtherThread first = OtherThread.inTransaction(store());
                OtherThread second = OtherThread.inTransaction(store())) {
            first.run(() -> store().claim(List.of(messages.at("order-1", 1))));
            OtherThread.Step<List<Claim>> waiting =
                    second.begin(() -> store().claim(List.of(messages.at("order-1", 1))));
            second.awaitWaiting(waiting);
            assertThat(waiting.isDone())
                    .as("answered before the first has ended")
                    .isFalse();

            first.rollBack();

            assertThat(waiting.answerOrAgain(store())).allMatch(Claim::isGranted);
        }
    }

    @Test
    @Tag("rule-3.2")
    default void doesNotMakeAClaimWaitForATransactionThatSawOnlyDuplicates() {
        Messages messages = Messages.ofNewConsumer();
        claimed(store(), messages.at("order-1", 1));
        try (OtherThread bystander = OtherThread.inTransaction(store())) {
            bystander.run(() -> store().claim(List.of(messages.at("order-1", 1))));

            assertThat(claimed(store(), messages.at("order-1", 2)).status()).isEqualTo(Status.DUPLICATE);
        }
    }

    @Test
    @Tag("rule-3.8")
    default void endsAClaimThatWaitsTooLongAsTransient() {
        Messages messages = Messages.ofNewConsumer();
        try (OtherThread slow = OtherThread.inTransaction(store())) {
            slow.run(() -> store().claim(List.of(messages.at("order-1", 1))));

            assertThatThrownBy(() -> claimed(store(), messages.at("order-1", 1)))
                    .matches(store().transactions()::isTransient, "is transient");

            slow.commit();
        }
        assertThat(asked(store(), messages.at("order-1", 1)).status()).isEqualTo(Status.DUPLICATE);
    }

    @Test
    @Tag("rule-3.3")
    default void endsTheWaitOfTwoTransactionsForEachOther() {
        Messages messages = Messages.ofNewConsumer();
        List<Delivery> one = List.of(messages.at("order-1", 0, 1));
        List<Delivery> two = List.of(messages.at("order-2", 1, 2));
        try (OtherThread left = OtherThread.inTransaction(store());
                OtherThread right = OtherThread.inTransaction(store())) {
            left.run(() -> store().claim(one));
            right.run(() -> store().claim(two));
            OtherThread.Step<List<Claim>> leftWaits = left.begin(() -> store().claim(two));
            left.awaitWaiting(leftWaits);
            OtherThread.Step<List<Claim>> rightWaits = right.begin(() -> store().claim(one));

            assertThatThrownBy(() -> {
                        rightWaits.answer();
                        right.commit();
                        leftWaits.answer();
                    })
                    .as("the failure of the second claim")
                    .matches(store().transactions()::isTransient, "is transient");
        }
        assertThat(claimed(store(), List.of(one.get(0), two.get(0)))).hasSize(2);
        assertThat(claimed(store(), List.of(one.get(0), two.get(0))))
                .extracting(Claim::status)
                .containsOnly(Status.DUPLICATE);
    }

    @Test
    @Tag("rule-1.4")
    default void doesNotCommitAfterATransientFailureEvenIfTheWorkSwallowsIt() {
        Messages messages = Messages.ofNewConsumer();
        try (OtherThread slow = OtherThread.inTransaction(store())) {
            slow.run(() -> store().claim(List.of(messages.at("order-1", 1))));

            assertThatThrownBy(() -> store().transactions().inTransaction(() -> {
                        store().claim(List.of(messages.at("order-2", 2)));
                        assertThatThrownBy(() -> store().claim(List.of(messages.at("order-1", 1))))
                                .matches(store().transactions()::isTransient, "is transient");
                    }))
                    .isInstanceOf(RuntimeException.class);
        }
        assertThat(asked(store(), messages.at("order-2", 2)).isGranted()).isTrue();
    }
}
