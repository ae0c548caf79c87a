package io.idempotency.testkit;

import static io.idempotency.testkit.Leases.MINUTE;
import static io.idempotency.testkit.Leases.TWO_MINUTES;
import static io.idempotency.testkit.Leases.afterTime;
import static io.idempotency.testkit.Leases.assertLost;
import static io.idempotency.testkit.Leases.leased;
import static io.idempotency.testkit.Transacted.asked;
import static io.idempotency.testkit.Transacted.claimed;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.store.Claim;
import io.idempotency.store.Claim.Status;
import io.idempotency.store.LeaseStore;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The contract of lease stores about late owners: an owner whose lease was taken changes nothing, and learns that. */
public interface LateOwnerContract extends StoreContract {

    @Override
    LeaseStore store();

    @Test
    @Tag("rule-3.5")
    default void doesNotLetALateOwnerComplete() {
        Messages messages = Messages.ofNewConsumer();
        Claim late = afterTime(this, TWO_MINUTES, leased(store(), messages.at("order-1", 17)));
        Claim owner = leased(store(), messages.at("order-1", 17));

        assertLost(() -> store().complete(List.of(late)), late);

        assertThat(asked(store(), messages.at("order-1", 17)).status()).isEqualTo(Status.IN_PROGRESS);
        store().complete(List.of(owner));
        assertThat(store().find(messages.id("order-1"))).isPresent();
    }

    @Test
    @Tag("rule-3.5")
    default void doesNotLetALateOwnerRelease() {
        Messages messages = Messages.ofNewConsumer();
        Claim late = afterTime(this, TWO_MINUTES, leased(store(), messages.at("order-1", 17)));
        leased(store(), messages.at("order-1", 17));

        assertLost(() -> store().release(List.of(late)), late);

        assertThat(leased(store(), messages.at("order-1", 17)).status()).isEqualTo(Status.IN_PROGRESS);
    }

    @Test
    @Tag("rule-3.5")
    default void doesNotLetALateOwnerRenew() {
        Messages messages = Messages.ofNewConsumer();
        Claim late = afterTime(this, TWO_MINUTES, leased(store(), messages.at("order-1", 17)));
        Claim owner = leased(store(), messages.at("order-1", 17));

        assertLost(() -> store().renew(List.of(late), TWO_MINUTES), late);

        assertThat(leased(store(), messages.at("order-1", 17)).until()).isEqualTo(owner.until());
    }

    @Test
    @Tag("rule-3.5")
    default void doesNotLetALateOwnerQuarantine() {
        Messages messages = Messages.ofNewConsumer();
        Claim late = afterTime(this, TWO_MINUTES, leased(store(), messages.at("order-1", 17)));
        leased(store(), messages.at("order-1", 17));

        assertLost(() -> store().quarantine(late), late);

        assertThat(leased(store(), messages.at("order-1", 17)).status()).isEqualTo(Status.IN_PROGRESS);
    }

    @Test
    @Tag("rule-3.5")
    default void doesNotLetALateOwnerReleaseWhatAClaimHasTaken() {
        Messages messages = Messages.ofNewConsumer();
        Claim late = afterTime(this, TWO_MINUTES, leased(store(), messages.at("order-1", 17)));
        claimed(store(), messages.at("order-1", 18));

        assertLost(() -> store().release(List.of(late)), late);

        assertThat(asked(store(), messages.at("order-1", 17)).status()).isEqualTo(Status.DUPLICATE);
    }

    @Test
    @Tag("rule-3.5")
    default void doesNotLetAnOwnerUseALeaseThatItReleased() {
        Messages messages = Messages.ofNewConsumer();
        Claim released = leased(store(), messages.at("order-1", 17));
        store().release(List.of(released));

        assertLost(() -> store().complete(List.of(released)), released);
        assertLost(() -> store().renew(List.of(released), TWO_MINUTES), released);

        assertThat(leased(store(), messages.at("order-1", 17)).attempt()).isEqualTo(2);
    }

    @Test
    @Tag("rule-3.5")
    default void completesWhatIsStillOwnedAndNamesTheRest() {
        Messages messages = Messages.ofNewConsumer();
        Claim late = afterTime(this, TWO_MINUTES, leased(store(), messages.at("a", 0, 1)));
        leased(store(), messages.at("a", 0, 1));
        List<Claim> owned = store().lease(List.of(messages.at("b", 1, 1), messages.at("c", 1, 2)), MINUTE);

        assertLost(() -> store().complete(List.of(owned.get(0), late, owned.get(1))), late);

        assertThat(store().find(messages.id("a"))).isEmpty();
        assertThat(store().find(messages.id("b"))).isPresent();
        assertThat(store().find(messages.id("c"))).isPresent();
    }

    @Test
    @Tag("rule-3.5")
    default void releasesWhatIsStillOwnedAndNamesTheRest() {
        Messages messages = Messages.ofNewConsumer();
        Claim late = afterTime(this, TWO_MINUTES, leased(store(), messages.at("a", 0, 1)));
        leased(store(), messages.at("a", 0, 1));
        Claim owned = leased(store(), messages.at("b", 1, 1));

        assertLost(() -> store().release(List.of(late, owned)), late);

        assertThat(leased(store(), messages.at("a", 0, 1)).status()).isEqualTo(Status.IN_PROGRESS);
        assertThat(leased(store(), messages.at("b", 1, 1)).attempt()).isEqualTo(2);
    }

    @Test
    @Tag("rule-3.5")
    default void renewsAllLeasesOrNone() {
        Messages messages = Messages.ofNewConsumer();
        Claim late = afterTime(this, TWO_MINUTES, leased(store(), messages.at("a", 0, 1)));
        leased(store(), messages.at("a", 0, 1));
        Claim owned = leased(store(), messages.at("b", 1, 1));

        assertLost(() -> store().renew(List.of(owned, late), TWO_MINUTES), late);

        assertThat(leased(store(), messages.at("b", 1, 1)).until()).isEqualTo(owned.until());
        store().complete(List.of(owned));
        assertThat(store().find(messages.id("b"))).isPresent();
    }

    @Test
    @Tag("rule-3.5")
    default void namesAllLostLeasesInTheOrderGiven() {
        Messages messages = Messages.ofNewConsumer();
        List<Claim> released = store().lease(messages.inARow(3), MINUTE);
        store().release(released);
        Claim last = released.get(2);

        assertLost(
                () -> store().renew(List.of(last, released.get(0), released.get(1)), TWO_MINUTES),
                last,
                released.get(0),
                released.get(1));
    }

    @Test
    @Tag("rule-3.5")
    default void makesTheOldEndOfARenewedLeaseWorthless() {
        Messages messages = Messages.ofNewConsumer();
        Claim old = leased(store(), messages.at("order-1", 17));
        Claim renewed = store().renew(List.of(old), TWO_MINUTES).get(0);

        assertLost(() -> store().complete(List.of(old)), old);
        assertLost(() -> store().release(List.of(old)), old);
        assertLost(() -> store().renew(List.of(old), MINUTE), old);

        store().complete(List.of(renewed));
        assertThat(store().find(messages.id("order-1"))).isPresent();
    }

    @Test
    @Tag("rule-3.5")
    default void tellsTwoFirstAttemptsApartWhenTheMessageWasForgottenInBetween() {
        Messages messages = Messages.ofNewConsumer();
        Claim old = leased(store(), messages.at("order-1", 17));
        store().forget(messages.id("order-1"));
        Claim owner =
                store().lease(List.of(messages.at("order-1", 17)), TWO_MINUTES).get(0);
        assertThat(owner.attempt()).isEqualTo(old.attempt());

        assertLost(() -> store().complete(List.of(old)), old);
        assertLost(() -> store().release(List.of(old)), old);
        assertLost(() -> store().renew(List.of(old), MINUTE), old);
        assertLost(() -> store().quarantine(old), old);

        assertThat(asked(store(), messages.at("order-1", 17)).status()).isEqualTo(Status.IN_PROGRESS);
    }

    @Test
    @Tag("rule-3.5")
    default void cannotCompleteALeaseOfAForgottenMessage() {
        Messages messages = Messages.ofNewConsumer();
        Claim lease = leased(store(), messages.at("order-1", 17));
        assertThat(store().forget(messages.id("order-1"))).isTrue();

        assertLost(() -> store().complete(List.of(lease)), lease);

        assertThat(asked(store(), messages.at("order-1", 17)).isGranted()).isTrue();
    }
}
