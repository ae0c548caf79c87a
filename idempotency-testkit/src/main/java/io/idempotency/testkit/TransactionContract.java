package io.idempotency.testkit;

import static io.idempotency.testkit.Transacted.asked;
import static io.idempotency.testkit.Transacted.claimed;
import static io.idempotency.testkit.Transacted.committed;
import static io.idempotency.testkit.Transacted.rolledBack;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.store.Claim;
import io.idempotency.store.Claim.Status;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Transactions;
import io.idempotency.store.TransientStoreException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The contract of stores about transactions: nothing is remembered without a commit, and nobody sees it earlier. */
public interface TransactionContract extends StoreContract {

    @Test
    @Tag("rule-1.5")
    default void refusesToClaimWithoutATransaction() {
        Messages messages = Messages.ofNewConsumer();

        assertThatThrownBy(() -> store().claim(List.of(messages.at("order-1", 17))))
                .isInstanceOf(IdempotencyException.class)
                .isNotInstanceOf(TransientStoreException.class);

        assertThat(asked(store(), messages.at("order-1", 17)).isGranted()).isTrue();
    }

    @Test
    default void forgetsWhatARolledBackTransactionClaimed() {
        Messages messages = Messages.ofNewConsumer();

        rolledBack(store(), () -> store().claim(messages.inARow(20)));

        assertThat(store().find(messages.id("m-0"))).isEmpty();
        assertThat(claimed(store(), messages.inARow(20))).allMatch(Claim::isGranted);
    }

    @Test
    default void knowsWhatItsOwnTransactionClaimed() {
        Messages messages = Messages.ofNewConsumer();

        List<Claim> second = committed(store(), () -> {
            store().claim(List.of(messages.at("order-1", 1)));
            return store().claim(List.of(messages.at("order-1", 2), messages.at("order-2", 3)));
        });

        assertThat(second).extracting(Claim::status).containsExactly(Status.DUPLICATE, Status.GRANTED);
    }

    @Test
    default void forgetsAMessageThatOneRolledBackTransactionClaimedTwice() {
        Messages messages = Messages.ofNewConsumer();

        rolledBack(store(), () -> {
            store().claim(List.of(messages.at("order-1", 1)));
            return store().claim(List.of(messages.at("order-1", 1)));
        });

        assertThat(asked(store(), messages.at("order-1", 1)).isGranted()).isTrue();
    }

    @Test
    default void restoresWhatARolledBackTransactionForgot() {
        Messages messages = Messages.ofNewConsumer();
        claimed(store(), messages.at("order-1", 1));

        boolean forgotten = rolledBack(store(), () -> store().forget(messages.id("order-1")));

        assertThat(forgotten).isTrue();
        assertThat(asked(store(), messages.at("order-1", 1)).status()).isEqualTo(Status.DUPLICATE);
    }

    @Test
    default void grantsAgainWhatTheSameTransactionForgot() {
        Messages messages = Messages.ofNewConsumer();
        claimed(store(), messages.at("order-1", 1));

        Claim claim = committed(store(), () -> {
            store().forget(messages.id("order-1"));
            return store().claim(List.of(messages.at("order-1", 2))).get(0);
        });

        assertThat(claim.isGranted()).isTrue();
        assertThat(asked(store(), messages.at("order-1", 3))
                        .processed()
                        .orElseThrow()
                        .position())
                .isEqualTo(messages.at("order-1", 2).position());
    }

    @Test
    default void takesAQuarantineBackWithItsTransaction() {
        Messages messages = Messages.ofNewConsumer();

        rolledBack(store(), () -> {
            store().quarantine(store().claim(List.of(messages.at("order-1", 1))).get(0));
            return true;
        });

        assertThat(asked(store(), messages.at("order-1", 1)).isGranted()).isTrue();
    }

    @Test
    default void knowsWhetherATransactionIsActiveOnTheThread() {
        Transactions transactions = store().transactions();
        List<Boolean> active = new ArrayList<>();

        active.add(transactions.isActive());
        transactions.inTransaction(() -> {
            active.add(transactions.isActive());
            try (OtherThread other = OtherThread.inTransaction(store())) {
                active.add(other.run(transactions::isActive));
            }
        });
        active.add(transactions.isActive());

        assertThat(active).containsExactly(false, true, true, false);
    }

    @Test
    default void joinsTheTransactionThatIsActive() {
        Messages messages = Messages.ofNewConsumer();

        rolledBack(store(), () -> claimed(store(), messages.at("order-1", 1)));

        assertThat(asked(store(), messages.at("order-1", 1)).isGranted()).isTrue();
    }

    @Test
    @Tag("rule-1.1")
    default void doesNotCommitWhenInnerWorkFailedEvenIfTheOuterWorkSwallowsIt() {
        Messages messages = Messages.ofNewConsumer();
        Transactions transactions = store().transactions();

        assertThatThrownBy(() -> transactions.inTransaction(() -> {
                    store().claim(List.of(messages.at("order-1", 1)));
                    assertThatThrownBy(() -> transactions.inTransaction(() -> {
                                throw new IllegalStateException("inner work");
                            }))
                            .hasMessage("inner work");
                }))
                .isInstanceOf(RuntimeException.class);

        assertThat(asked(store(), messages.at("order-1", 1)).isGranted()).isTrue();
    }

    @Test
    default void letsWhatTheWorkThrowsLeaveUnchanged() {
        IllegalStateException failure = new IllegalStateException("handler");

        assertThatThrownBy(() -> store().transactions().inTransaction(() -> {
                    throw failure;
                }))
                .isSameAs(failure);
    }

    @Test
    default void actsAfterTheOutermostCommit() {
        Messages messages = Messages.ofNewConsumer();
        Transactions transactions = store().transactions();
        List<String> log = new ArrayList<>();

        transactions.inTransaction(() -> {
            transactions.inTransaction(() -> {
                store().claim(List.of(messages.at("order-1", 1)));
                transactions.afterCommit(() -> log.add("after commit"));
            });
            log.add("outer work");
        });

        assertThat(log).containsExactly("outer work", "after commit");
    }

    @Test
    default void doesNotActAfterARollback() {
        List<String> log = new ArrayList<>();

        rolledBack(store(), () -> {
            store().transactions().afterCommit(() -> log.add("after commit"));
            return true;
        });
        store().transactions().inTransaction(() -> log.add("next"));

        assertThat(log).containsExactly("next");
    }

    @Test
    default void refusesToActAfterACommitThatIsNotComing() {
        assertThatThrownBy(() -> store().transactions().afterCommit(() -> {})).isInstanceOf(IdempotencyException.class);
    }

    @Test
    @Tag("rule-1.4")
    default void tellsTransientFailuresFromOthersHoweverDeepTheyAre() {
        Transactions transactions = store().transactions();

        assertThat(transactions.isTransient(new TransientStoreException("deadlock")))
                .isTrue();
        assertThat(transactions.isTransient(
                        new IllegalStateException(new RuntimeException(new TransientStoreException("deadlock")))))
                .isTrue();
        assertThat(transactions.isTransient(new IllegalStateException(new InterruptedException())))
                .isTrue();
        assertThat(transactions.isTransient(new IllegalStateException("poison")))
                .isFalse();
        assertThat(transactions.isTransient(new IdempotencyException("no such consumer")))
                .isFalse();
    }
}
