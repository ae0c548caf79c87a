package io.idempotency.testkit;

import io.idempotency.store.ClaimStore;
import java.time.Duration;

/**
 * The questions of the contracts to a store's test. Add a store in three steps:
 *
 * <ol>
 *   <li>Write a test class that implements the contracts of the store: {@link ClaimContract}, and, if it supports them, {@link LeaseContract} and
 *       {@link QuarantineContract}.
 *   <li>Implement {@link #store()}, which returns the same store during a test, and {@link #passTime(Duration)}. Every test uses a consumer of its own, so
 *       tests may share the data. They must not run at the same time, because a purge sees all consumers. A claim timeout of about a second keeps
 *       the test of that timeout short.
 *   <li>Add one test that calls {@link ConcurrencyFuzz#run(ClaimStore)}, and one that calls {@link StoreComparison}.
 * </ol>
 *
 * <p>By the answers below, a test that does not apply to the store is skipped with a reason. Do not use them to hide a failing test.
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
     * Returns whether {@link #passTime} moves the stored times back. Then the leases of a test no longer carry the stored end, and the tests move
     * those ends, too.
     */
    default boolean movesStoredTimes() {
        return false;
    }

    /** Returns whether the store detects duplicates in any partition, and without a position. */
    default boolean seesAllPartitions() {
        return true;
    }

    /**
     * Returns whether the purge forgets a message as soon as it is older than the given time, independently of other messages. Otherwise the store
     * is compared without purges.
     */
    default boolean purgesByTime() {
        return true;
    }
}
