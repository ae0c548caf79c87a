package io.idempotency.testkit;

import static io.idempotency.testkit.Leases.MINUTE;
import static io.idempotency.testkit.Leases.TWO_MINUTES;
import static io.idempotency.testkit.Transacted.claimed;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.store.Claim;
import io.idempotency.store.Claim.Status;
import io.idempotency.store.Delivery;
import io.idempotency.store.LeaseStore;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The contract of lease stores about lists: a prefix of each partition is granted, so that order is kept and owners never wait in a circle. */
public interface LeaseOrderContract extends StoreContract {

    @Override
    LeaseStore store();

    @Test
    @Tag("rule-3.6")
    default void leasesAllNewMessagesOfAListInTheOrderAsked() {
        Messages messages = Messages.ofNewConsumer();
        List<Delivery> deliveries =
                List.of(messages.at("c", 1, 7), messages.at("a", 0, 3), messages.at("b", 1, 8), messages.at("d", 0, 4));

        List<Claim> leases = store().lease(deliveries, MINUTE);

        assertThat(leases).extracting(Claim::delivery).containsExactlyElementsOf(deliveries);
        assertThat(leases).allMatch(Claim::isLease);
    }

    @Test
    @Tag("rule-3.6")
    default void grantsOnlyWhatStandsBeforeTheFirstOneInProgress() {
        Messages messages = Messages.ofNewConsumer();
        store().lease(List.of(messages.at("m-2", 2)), MINUTE);

        assertThat(store().lease(messages.inARow(5), MINUTE))
                .extracting(Claim::status)
                .containsExactly(
                        Status.GRANTED, Status.GRANTED, Status.IN_PROGRESS, Status.IN_PROGRESS, Status.IN_PROGRESS);
    }

    @Test
    @Tag("rule-3.6")
    default void doesNotLeaseWhatStandsBehindOneInProgress() {
        Messages messages = Messages.ofNewConsumer();
        Claim before = store().lease(List.of(messages.at("m-0", 0)), MINUTE).get(0);
        store().lease(messages.inARow(2), MINUTE);

        store().complete(List.of(before));

        List<Claim> again = store().lease(messages.inARow(2), MINUTE);
        assertThat(again).extracting(Claim::status).containsExactly(Status.DUPLICATE, Status.GRANTED);
        assertThat(again.get(1).attempt()).isEqualTo(1);
    }

    @Test
    @Tag("rule-3.6")
    default void tellsUntilWhenThoseBehindAreHeldUp() {
        Messages messages = Messages.ofNewConsumer();
        Claim before = store().lease(List.of(messages.at("m-0", 0)), MINUTE).get(0);

        assertThat(store().lease(messages.inARow(2), MINUTE))
                .extracting(Claim::until)
                .containsExactly(before.until(), before.until());
    }

    @Test
    @Tag("rule-3.6")
    default void saysThatSettledMessagesBehindOneInProgressAreSettled() {
        Messages messages = Messages.ofNewConsumer();
        claimed(store(), messages.at("m-2", 2));
        store().quarantine(claimed(store(), messages.at("m-3", 3)));
        store().lease(List.of(messages.at("m-1", 1)), MINUTE);

        assertThat(store().lease(messages.inARow(5), MINUTE))
                .extracting(Claim::status)
                .containsExactly(
                        Status.GRANTED, Status.IN_PROGRESS, Status.DUPLICATE, Status.QUARANTINED, Status.IN_PROGRESS);
    }

    @Test
    @Tag("rule-3.6")
    default void doesNotHoldUpOtherPartitions() {
        Messages messages = Messages.ofNewConsumer();
        store().lease(List.of(messages.at("a", 0, 1)), MINUTE);

        List<Claim> claims = store().lease(
                        List.of(
                                messages.at("a", 0, 1),
                                messages.at("b", 1, 1),
                                messages.at("c", 0, 2),
                                messages.at("d", 1, 2)),
                        MINUTE);

        assertThat(claims)
                .extracting(Claim::status)
                .containsExactly(Status.IN_PROGRESS, Status.GRANTED, Status.IN_PROGRESS, Status.GRANTED);
    }

    @Test
    @Tag("rule-3.6")
    default void keepsTheSecondCopyInAListInProgressAndAllBehindIt() {
        Messages messages = Messages.ofNewConsumer();

        List<Claim> claims = store().lease(
                        List.of(messages.at("a", 1), messages.at("b", 2), messages.at("a", 3), messages.at("c", 4)),
                        MINUTE);

        assertThat(claims)
                .extracting(Claim::status)
                .containsExactly(Status.GRANTED, Status.GRANTED, Status.IN_PROGRESS, Status.IN_PROGRESS);
        assertThat(claims)
                .extracting(claim -> claim.delivery().position().offset())
                .containsExactly(1L, 2L, 3L, 4L);
    }

    @Test
    @Tag("rule-3.6")
    default void keepsACopyInAnotherPartitionInProgress() {
        Messages messages = Messages.ofNewConsumer();

        assertThat(store().lease(
                                List.of(messages.at("a", 0, 1), messages.at("a", 1, 5), messages.at("b", 1, 6)),
                                MINUTE))
                .extracting(Claim::status)
                .containsExactly(Status.GRANTED, Status.IN_PROGRESS, Status.IN_PROGRESS);
    }

    @Test
    @Tag("rule-3.6")
    default void leasesAloneWhatWasLeftUnreleased() {
        Messages messages = Messages.ofNewConsumer();
        store().lease(messages.inARow(3), MINUTE);
        passTime(TWO_MINUTES);

        List<Claim> claims = store().lease(messages.inARow(4), MINUTE);

        assertThat(claims)
                .extracting(Claim::status)
                .containsExactly(Status.GRANTED, Status.IN_PROGRESS, Status.IN_PROGRESS, Status.IN_PROGRESS);
        assertThat(claims.get(0).attempt()).isEqualTo(2);
        assertThat(claims.get(0).starts()).isEqualTo(1);
    }

    @Test
    @Tag("rule-3.6")
    default void doesNotLeaseWhatWasLeftUnreleasedTogetherWithOneBeforeIt() {
        Messages messages = Messages.ofNewConsumer();
        store().lease(List.of(messages.at("m-1", 1)), MINUTE);
        passTime(TWO_MINUTES);

        assertThat(store().lease(messages.inARow(3), MINUTE))
                .extracting(Claim::status)
                .containsExactly(Status.GRANTED, Status.IN_PROGRESS, Status.IN_PROGRESS);
    }

    @Test
    @Tag("rule-3.6")
    default void leasesWhatWasLeftUnreleasedBehindSettledMessages() {
        Messages messages = Messages.ofNewConsumer();
        List<Claim> leases = store().lease(messages.inARow(2), MINUTE);
        store().complete(leases.subList(0, 1));
        passTime(TWO_MINUTES);

        assertThat(store().lease(messages.inARow(3), MINUTE))
                .extracting(Claim::status)
                .containsExactly(Status.DUPLICATE, Status.GRANTED, Status.IN_PROGRESS);
    }

    @Test
    @Tag("rule-3.6")
    default void leasesWhatWasReleasedTogether() {
        Messages messages = Messages.ofNewConsumer();
        store().release(store().lease(messages.inARow(3), MINUTE));

        assertThat(store().lease(messages.inARow(4), MINUTE))
                .allMatch(Claim::isLease)
                .extracting(Claim::attempt)
                .containsExactly(2, 2, 2, 1);
    }
}
