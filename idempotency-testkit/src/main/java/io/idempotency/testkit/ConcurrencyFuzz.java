package io.idempotency.testkit;

import io.idempotency.store.ClaimStore;

/**
 * Searches for races in a claim store: threads claim random lists of few messages at the same time, in transactions of which
 * some are rolled back, and the history of all answers is judged.
 *
 * <ul>
 *   <li>Every message is granted in exactly one committed transaction.
 *   <li>A message is a duplicate only if its transaction granted it before, or a transaction that was at its end by then and has committed.
 *   <li>A duplicate names the position at which the message was granted.
 *   <li>A failure is transient; the transaction is then run again.
 * </ul>
 *
 * <p>A seed decides what is claimed and what is rolled back, but not how the threads interleave: the system property {@value #SEED_PROPERTY}
 * replays one seed as often as otherwise many seeds are run. Every run uses a consumer of its own, so the data may be shared.
 */
public final class ConcurrencyFuzz {

    /** Names the one seed to be replayed. */
    public static final String SEED_PROPERTY = "idempotency.fuzz.seed";

    /** How many seeds are run unless said otherwise. */
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
     * Runs the search with so many seeds.
     *
     * @throws AssertionError naming the seed, if an answer was wrong
     */
    public static void run(ClaimStore store, int seeds) {
        Seeds.run("ConcurrencyFuzz", SEED_PROPERTY, seeds, seed -> new FuzzRun(store, seed).run());
    }
}
