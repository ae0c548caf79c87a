package io.idempotency.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.store.Claim;
import io.idempotency.store.ClaimLostException;
import io.idempotency.store.Delivery;
import io.idempotency.store.LeaseStore;
import java.time.Duration;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** Shared steps of the tests about leases. */
final class Leases {

    static final Duration MINUTE = Duration.ofMinutes(1);
    static final Duration TWO_MINUTES = Duration.ofMinutes(2);

    private Leases() {}

    static Claim leased(LeaseStore store, Delivery delivery) {
        return store.lease(List.of(delivery), MINUTE).get(0);
    }

    /** Lets time pass and returns the lease as its owner then holds it. */
    static Claim afterTime(StoreContract contract, Duration duration, Claim lease) {
        contract.passTime(duration);
        return contract.movesStoredTimes() ? lease.renewed(lease.until().minus(duration)) : lease;
    }

    static void assertLost(ThrowingCallable verb, Claim... lost) {
        assertThatThrownBy(verb)
                .isInstanceOfSatisfying(
                        ClaimLostException.class,
                        failure -> assertThat(failure.lost()).containsExactly(lost));
    }
}
