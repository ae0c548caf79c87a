package io.idempotency.testkit;

import static io.idempotency.testkit.Leases.MINUTE;
import static io.idempotency.testkit.Leases.TWO_MINUTES;
import static io.idempotency.testkit.Leases.leased;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.store.Claim;
import io.idempotency.store.LeaseStore;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The contract of lease stores about counting: attempts count leases, starts count handlers, and none is lost. */
public interface AttemptContract extends StoreContract {

    @Override
    LeaseStore store();

    @Test
    @Tag("rule-3.5")
    default void keepsTheAttemptCountAfterRelease() {
        Messages messages = Messages.ofNewConsumer();
        store().release(List.of(leased(store(), messages.at("order-1", 17))));

        Claim second = leased(store(), messages.at("order-1", 17));
        store().release(List.of(second));
        Claim third = leased(store(), messages.at("order-1", 17));

        assertThat(second.attempt()).isEqualTo(2);
        assertThat(third.attempt()).isEqualTo(3);
        assertThat(third.starts()).as("no handler was started").isZero();
    }

    @Test
    @Tag("rule-3.6")
    default void recordsTheStartedHandlersOnRelease() {
        Messages messages = Messages.ofNewConsumer();
        store().release(List.of(leased(store(), messages.at("order-1", 17)).started()));

        Claim second = leased(store(), messages.at("order-1", 17));
        store().release(List.of(second.started()));
        Claim third = leased(store(), messages.at("order-1", 17));

        assertThat(second.starts()).isEqualTo(1);
        assertThat(third.starts()).isEqualTo(2);
    }

    @Test
    @Tag("rule-3.6")
    default void countsALeaseThatEndedWithoutReleaseAsAStart() {
        Messages messages = Messages.ofNewConsumer();
        store().release(List.of(leased(store(), messages.at("order-1", 17)).started()));
        leased(store(), messages.at("order-1", 17));
        passTime(TWO_MINUTES);

        Claim third = leased(store(), messages.at("order-1", 17));

        assertThat(third.attempt()).isEqualTo(3);
        assertThat(third.starts()).isEqualTo(2);
    }

    @Test
    @Tag("rule-3.6")
    default void countsTheStartsOfALeaseOnlyOnceWhenItWasRenewed() {
        Messages messages = Messages.ofNewConsumer();
        Claim lease = leased(store(), messages.at("order-1", 17)).started();
        assertThat(store().renew(List.of(lease), TWO_MINUTES))
                .extracting(Claim::starts)
                .containsExactly(1);
        passTime(TWO_MINUTES.plus(MINUTE));

        assertThat(leased(store(), messages.at("order-1", 17)).starts()).isEqualTo(1);
    }
}
