package io.idempotency.testkit;

import static io.idempotency.testkit.Leases.TWO_MINUTES;
import static io.idempotency.testkit.Leases.leased;
import static io.idempotency.testkit.Transacted.asked;
import static io.idempotency.testkit.Transacted.claimed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.idempotency.store.Claim;
import io.idempotency.store.Claim.Status;
import io.idempotency.store.LeaseStore;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The contract of lease stores about a message that one owner leases and another claims, as when a consumer changes its level. */
public interface LeaseAndClaimContract extends StoreContract {

    @Override
    LeaseStore store();

    @Test
    @Tag("rule-3.1")
    default void keepsALiveLeaseInProgressForAClaimToo() {
        Messages messages = Messages.ofNewConsumer();
        Claim lease = leased(store(), messages.at("order-1", 17));

        List<Claim> claims = claimed(store(), List.of(messages.at("order-1", 17), messages.at("order-1", 18)));

        assertThat(claims).extracting(Claim::status).containsExactly(Status.IN_PROGRESS, Status.IN_PROGRESS);
        assertThat(claims.get(0).until()).isEqualTo(lease.until());
        store().complete(List.of(lease));
        assertThat(claimed(store(), messages.at("order-1", 17)).status()).isEqualTo(Status.DUPLICATE);
    }

    @Test
    @Tag("rule-3.1")
    default void letsAClaimTakeOverALeaseThatEnded() {
        Messages messages = Messages.ofNewConsumer();
        leased(store(), messages.at("order-1", 17));
        passTime(TWO_MINUTES);

        Claim claim = claimed(store(), messages.at("order-1", 18));

        assertThat(claim.isGranted()).isTrue();
        assertThat(claim.isLease()).isFalse();
        assertThat(claimed(store(), messages.at("order-1", 17))
                        .processed()
                        .orElseThrow()
                        .position())
                .isEqualTo(messages.at("order-1", 18).position());
    }

    @Test
    @Tag("rule-3.1")
    default void letsAClaimTakeOverAReleasedLease() {
        Messages messages = Messages.ofNewConsumer();
        store().release(List.of(leased(store(), messages.at("order-1", 17))));

        assertThat(claimed(store(), messages.at("order-1", 17)).isGranted()).isTrue();

        assertThat(claimed(store(), messages.at("order-1", 17)).status()).isEqualTo(Status.DUPLICATE);
    }

    @Test
    @Tag("rule-3.1")
    @Tag("rule-3.2")
    default void makesASecondTakeOverWaitAndThenCallsItADuplicate() {
        Messages messages = Messages.ofNewConsumer();
        store().release(List.of(leased(store(), messages.at("order-1", 17))));
        try (OtherThread first = OtherThread.inTransaction(store());
                OtherThread second = OtherThread.inTransaction(store())) {
            first.run(() -> store().claim(List.of(messages.at("order-1", 17))));
            OtherThread.Step<List<Claim>> waiting =
                    second.begin(() -> store().claim(List.of(messages.at("order-1", 18))));
            second.awaitWaiting(waiting);
            assertThat(waiting.isDone())
                    .as("answered before the first has ended")
                    .isFalse();

            first.commit();

            assertThat(waiting.answerOrAgain(store())).extracting(Claim::status).containsExactly(Status.DUPLICATE);
        }
    }

    @Test
    default void leavesALeaseThatEndedAsItWasWhenTheClaimOnItIsRolledBack() {
        Messages messages = Messages.ofNewConsumer();
        leased(store(), messages.at("order-1", 17));
        passTime(TWO_MINUTES);

        assertThat(asked(store(), messages.at("order-1", 17)).isGranted()).isTrue();

        assertThat(leased(store(), messages.at("order-1", 17)).attempt()).isEqualTo(2);
    }

    @Test
    @Tag("rule-3.2")
    default void makesALeaseWaitForARunningClaimAndThenCallsItADuplicate() {
        Messages messages = Messages.ofNewConsumer();
        try (OtherThread claiming = OtherThread.inTransaction(store());
                OtherThread leasing = OtherThread.withoutTransaction()) {
            claiming.run(() -> store().claim(List.of(messages.at("order-1", 17))));
            OtherThread.Step<Claim> waiting = leasing.begin(() -> leased(store(), messages.at("order-1", 17)));
            leasing.awaitWaiting(waiting);
            assertThat(waiting.isDone())
                    .as("answered before the claim has ended")
                    .isFalse();

            claiming.commit();

            assertThat(waiting.answer().status()).isEqualTo(Status.DUPLICATE);
        }
    }

    @Test
    @Tag("rule-3.7")
    default void countsTheLengthOfALeaseFromAfterTheWait() {
        assumeFalse(movesStoredTimes(), "time can be moved only while no transaction runs");
        Messages messages = Messages.ofNewConsumer();
        try (OtherThread claiming = OtherThread.inTransaction(store());
                OtherThread leasing = OtherThread.withoutTransaction()) {
            claiming.run(() -> store().claim(List.of(messages.at("order-1", 17))));
            OtherThread.Step<Claim> waiting = leasing.begin(() -> leased(store(), messages.at("order-1", 17)));
            leasing.awaitWaiting(waiting);

            passTime(TWO_MINUTES);
            claiming.rollBack();

            assertThat(waiting.answer().isLease()).isTrue();
            assertThat(leased(store(), messages.at("order-1", 17)).status()).isEqualTo(Status.IN_PROGRESS);
        }
    }
}
