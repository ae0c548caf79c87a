package io.idempotency.testkit;

import static io.idempotency.testkit.Leases.MINUTE;
import static io.idempotency.testkit.Leases.TWO_MINUTES;
import static io.idempotency.testkit.Leases.afterTime;
import static io.idempotency.testkit.Leases.leased;
import static io.idempotency.testkit.Transacted.asked;
import static io.idempotency.testkit.Transacted.claimed;
import static io.idempotency.testkit.Transacted.purgedAll;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.store.Claim;
import io.idempotency.store.Claim.Status;
import io.idempotency.store.ClaimLostException;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.LeaseStore;
import io.idempotency.store.MessageStatus;
import io.idempotency.store.Processed;
import io.idempotency.store.StoredMessage;
import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The contract of lease stores about the life of a lease: grant, renewal, completion, release, end. Includes
 * {@link LeaseOrderContract}, {@link LateOwnerContract}, {@link AttemptContract} and {@link LeaseAndClaimContract}.
 *
 * @see StoreContract the questions that a store's test answers
 */
public interface LeaseContract extends LeaseOrderContract, LateOwnerContract, AttemptContract, LeaseAndClaimContract {

    @Override
    LeaseStore store();

    @Test
    default void leasesANewMessageForAFirstAttempt() {
        Messages messages = Messages.ofNewConsumer();

        Claim lease = leased(store(), messages.at("order-1", 17));

        assertThat(lease.isLease()).isTrue();
        assertThat(lease.delivery()).isEqualTo(messages.at("order-1", 17));
        assertThat(lease.attempt()).isEqualTo(1);
        assertThat(lease.starts()).isZero();
    }

    @Test
    default void answersNothingToAnEmptyListOfLeases() {
        assertThat(store().lease(List.of(), MINUTE)).isEmpty();
        assertThat(store().renew(List.of(), MINUTE)).isEmpty();
        store().complete(List.of());
        store().release(List.of());
        store().expire(List.of());
    }

    @Test
    @Tag("rule-8.15")
    default void completesTheLeaseOfAnExpiredMessage() {
        Messages messages = Messages.ofNewConsumer();
        Claim lease = leased(store(), messages.at("late", 17));

        store().expire(List.of(lease));

        assertThat(asked(store(), messages.at("late", 17)).status()).isEqualTo(Status.DUPLICATE);
        assertThat(store().messages().look(messages.id("late")).map(StoredMessage::status))
                .contains(MessageStatus.EXPIRED);
    }

    @Test
    @Tag("rule-8.15")
    default void namesTheLeasesOfExpiredMessagesThatOthersHaveTaken() {
        Messages messages = Messages.ofNewConsumer();
        Claim mine = leased(store(), messages.at("mine", 0, 1));
        Claim lost = leased(store(), messages.at("lost", 1, 2));
        store().forget(lost.delivery().id());

        assertThatThrownBy(() -> store().expire(List.of(mine, lost)))
                .isInstanceOfSatisfying(
                        ClaimLostException.class, e -> assertThat(e.lost()).containsExactly(lost));

        assertThat(asked(store(), messages.at("mine", 0, 1)).status()).isEqualTo(Status.DUPLICATE);
        assertThat(asked(store(), messages.at("lost", 1, 2)).isGranted()).isTrue();
    }

    @Test
    @Tag("rule-3.1")
    default void tellsWhichLeaseIsInTheWay() {
        Messages messages = Messages.ofNewConsumer();
        Claim lease = leased(store(), messages.at("order-1", 17));

        Claim other = leased(store(), messages.at("order-1", 18));

        assertThat(other).isEqualTo(Claim.inProgress(messages.at("order-1", 18), 1, lease.until()));
    }

    @Test
    default void isNeitherProcessedNorFoundWhileLeased() {
        Messages messages = Messages.ofNewConsumer();

        leased(store(), messages.at("order-1", 17));

        assertThat(store().find(messages.id("order-1"))).isEmpty();
    }

    @Test
    default void completesALease() {
        Messages messages = Messages.ofNewConsumer();
        Claim lease = leased(store(), messages.at("order-1", 17));

        store().complete(List.of(lease));

        assertThat(store().find(messages.id("order-1")))
                .map(Processed::position)
                .contains(messages.at("order-1", 17).position());
        assertThat(leased(store(), messages.at("order-1", 18)).status()).isEqualTo(Status.DUPLICATE);
        assertThat(claimed(store(), messages.at("order-1", 17)).status()).isEqualTo(Status.DUPLICATE);
    }

    @Test
    default void countsTheAgeOfALeasedMessageFromItsCompletion() {
        Messages messages = Messages.ofNewConsumer();
        Claim lease = leased(store(), messages.at("order-1", 17));
        lease = afterTime(this, TWO_MINUTES, lease);

        store().complete(List.of(lease));

        assertThat(store().find(messages.id("order-1")).orElseThrow().age()).isLessThan(MINUTE);
    }

    @Test
    @Tag("rule-3.5")
    default void completesTheSameLeaseTwiceWithoutFurtherEffect() {
        Messages messages = Messages.ofNewConsumer();
        Claim lease = leased(store(), messages.at("order-1", 17));
        store().complete(List.of(lease));

        store().complete(List.of(lease));

        assertThat(store().find(messages.id("order-1"))).isPresent();
    }

    @Test
    @Tag("rule-3.5")
    default void completesALeaseThatEndedButWasNotTaken() {
        Messages messages = Messages.ofNewConsumer();
        Claim lease = leased(store(), messages.at("order-1", 17));
        lease = afterTime(this, TWO_MINUTES, lease);

        store().complete(List.of(lease));

        assertThat(claimed(store(), messages.at("order-1", 17)).status()).isEqualTo(Status.DUPLICATE);
    }

    @Test
    default void keepsARenewedLeaseLongerThanItsFirstEnd() {
        Messages messages = Messages.ofNewConsumer();
        Claim first = leased(store(), messages.at("order-1", 17));

        Claim renewed = store().renew(List.of(first), Duration.ofMinutes(10)).get(0);
        assertThat(renewed.delivery()).isEqualTo(first.delivery());
        assertThat(renewed.attempt()).isEqualTo(1);
        assertThat(renewed.until()).isAfter(first.until());
        renewed = afterTime(this, TWO_MINUTES, renewed);

        assertThat(leased(store(), messages.at("order-1", 17)).status()).isEqualTo(Status.IN_PROGRESS);
        store().complete(List.of(renewed));
        assertThat(store().find(messages.id("order-1"))).isPresent();
    }

    @Test
    default void renewsInTheOrderGiven() {
        Messages messages = Messages.ofNewConsumer();
        List<Claim> leases = store().lease(messages.inARow(3), MINUTE);
        List<Claim> backwards = List.of(leases.get(2), leases.get(0), leases.get(1));

        assertThat(store().renew(backwards, TWO_MINUTES))
                .extracting(Claim::delivery)
                .containsExactly(
                        leases.get(2).delivery(),
                        leases.get(0).delivery(),
                        leases.get(1).delivery());
    }

    @Test
    @Tag("rule-1.5")
    default void refusesEveryLeaseVerbWhileATransactionIsActive() {
        Messages messages = Messages.ofNewConsumer();
        List<Claim> leases = List.of(leased(store(), messages.at("order-1", 17)));

        store().transactions().inTransaction(() -> {
            assertRefused(() -> store().lease(List.of(messages.at("order-2", 18)), MINUTE));
            assertRefused(() -> store().renew(leases, TWO_MINUTES));
            assertRefused(() -> store().complete(leases));
            assertRefused(() -> store().release(leases));
        });

        assertThat(leased(store(), messages.at("order-1", 17)).status()).isEqualTo(Status.IN_PROGRESS);
    }

    private static void assertRefused(ThrowingCallable verb) {
        assertThatThrownBy(verb)
                .isInstanceOf(IdempotencyException.class)
                .isNotInstanceOf(TransientStoreException.class);
    }

    @Test
    default void quarantinesALeasedMessage() {
        Messages messages = Messages.ofNewConsumer();
        Claim lease = leased(store(), messages.at("order-1", 17));

        store().quarantine(lease);

        assertThat(leased(store(), messages.at("order-1", 18)).status()).isEqualTo(Status.QUARANTINED);
        assertThat(claimed(store(), messages.at("order-1", 18)).status()).isEqualTo(Status.QUARANTINED);
    }

    @Test
    @Tag("rule-3.5")
    default void purgesAnUnfinishedMessageOnlyWhenItsLeaseEndedLongAgo() {
        Messages messages = Messages.ofNewConsumer();
        store().lease(List.of(messages.at("long", 0, 1)), Duration.ofDays(9));
        store().lease(List.of(messages.at("late", 1, 1)), MINUTE);
        store().release(store().lease(List.of(messages.at("released", 2, 1)), MINUTE));
        passTime(Duration.ofDays(8).minusHours(1));

        purgedAll(store(), Duration.ofDays(8));

        assertThat(leased(store(), messages.at("long", 0, 1)).status()).isEqualTo(Status.IN_PROGRESS);
        assertThat(asked(store(), messages.at("late", 1, 1)).isGranted()).isTrue();
        assertThat(leased(store(), messages.at("released", 2, 1)).attempt()).isEqualTo(2);
        assertThat(leased(store(), messages.at("late", 1, 1)).attempt()).isEqualTo(2);
        passTime(Duration.ofDays(9));

        purgedAll(store(), Duration.ofDays(8));

        assertThat(leased(store(), messages.at("released", 2, 1)).attempt()).isEqualTo(1);
        assertThat(leased(store(), messages.at("long", 0, 1)).attempt()).isEqualTo(2);
    }
}
