package io.idempotency.testkit;

import io.idempotency.store.ClaimStore;

/**
 * Searches for races in a claim store. Threads claim random lists of few messages at the same time. Some of their transactions are rolled back. Then the
 * history of all answers is checked:
 *
 * <ul>
 *   <li>Every message is granted in exactly one committed transaction.
 *   <li>A message is a duplicate only if it was granted before in the same transaction, or in one that was ending by then and has committed.
 *   <li>A duplicate names the position at which the message was granted.
 *   <li>Every failure is transient, and the transaction is run again.
 * </ul>
 *
 * <p>A seed decides the claims and rollbacks, but not how the threads interleave. So the system property {@value #SEED_PROPERTY} replays one seed as often
 * as many seeds would run. Every run uses a consumer of its own, so the data may be shared.
 */
public final class ConcurrencyFuzz {

    /** The system property with a seed to replay. */
    public static final String SEED_PROPERTY = "idempotency.fuzz.seed";

    /** How many seeds run by default. */
    public static final int DEFAULT_SEEDS = 200;

    private ConcurrencyFuzz() {}

    /**
     * Runs the search with {@value #DEFAULT_SEEDS} seeds.
     *
     * @throws AssertionError naming the seed, if an answer was wrong
     */
    public static void run(ClaimStore store) {
        run(store, DEFAULT_SEEDS);
    }

    /**
     * Runs the search with the given number of seeds.
     *
     * @throws AssertionError naming the seed, if an answer was wrong
     */
    public static void run(ClaimStore store, int seeds) {
        Seeds.run("ConcurrencyFuzz", SEED_PROPERTY, seeds, seed -> new FuzzRun(store, seed).run());
    }
}
