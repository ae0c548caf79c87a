package io.idempotency.testkit;

import io.idempotency.store.ClaimStore;
import java.time.Duration;

/**
 * What the contracts ask a store's test. A store is added in three steps:
 *
 * <ol>
 *   <li>Write a test class that implements the contracts the store keeps: {@link ClaimContract}, and {@link LeaseContract} and
 *       {@link QuarantineContract} where it can.
 *   <li>Answer {@link #store()}, the same one for a whole test, and {@link #passTime(Duration)}. Every test uses a consumer of its own, so the data
 *       may be shared with other tests, but not with tests that run at the same time, for purging sees all consumers. A claim
 *       timeout of about a second keeps the test of that timeout short.
 *   <li>Add one test that calls {@link ConcurrencyFuzz#run(ClaimStore)}, and for a lease store one that calls
 *       {@link StoreComparison}.
 * </ol>
 *
 * <p>A test that the store cannot take part in is skipped with a reason, by the answers below; none of them may be used to hide
 * a failing one.
 */
public interface StoreContract {

    /** Returns the store under test. */
    ClaimStore store();

    /**
     * Lets the store's time pass: by moving its clock, or by moving every stored time back.
     *
     * @see #movesStoredTimes()
     */
    void passTime(Duration duration);

    /**
     * Returns whether {@link #passTime} moves the stored times back, so that the leases in the hands of a test no longer carry the
     * stored end. The tests then move those ends, too.
     */
    default boolean movesStoredTimes() {
        return false;
    }

    /** Returns whether copies of a message are recognised in whatever partition they arrive, and without a position. */
    default boolean seesAllPartitions() {
        return true;
    }

    /**
     * Returns whether the purge forgets a message as soon as it is older than the time given, whatever else is remembered. A store that forgets by other
     * measures is compared without purges.
     */
    default boolean purgesByTime() {
        return true;
    }
}
