package io.idempotency.testkit;

/**
 * Compares a store with the memory store: both go through the same random sequences of operations, inside and outside of
 * transactions, and must give the same answers – statuses, attempts, starts, positions, and which leases are lost.
 *
 * <p>Single-threaded; {@link ConcurrencyFuzz} looks at what happens at the same time. Instants and ages are not compared, and no lease ends and
 * no retention is over within five seconds of an operation, so the store's clock may run on, and it must: two leases at the same instant could not be told apart. Leases take part if the store is a
 * {@link io.idempotency.store.LeaseStore}. The system property {@value #SEED_PROPERTY} replays one seed. Every sequence uses a consumer of its
 * own, so the data may be shared.
 */
public final class StoreComparison {

    /** Names the one seed to be replayed. */
    public static final String SEED_PROPERTY = "idempotency.comparison.seed";

    /** How many sequences are run unless said otherwise. */
    public static final int DEFAULT_SEEDS = 200;

    private StoreComparison() {}

    /**
     * Runs {@value #DEFAULT_SEEDS} sequences on the store under test.
     *
     * @throws AssertionError naming the seed and what was done, if the answers differ
     */
    public static void run(StoreContract contract) {
        run(contract, DEFAULT_SEEDS);
    }

    /**
     * Runs so many sequences on the store under test.
     *
     * @throws AssertionError naming the seed and what was done, if the answers differ
     */
    public static void run(StoreContract contract, int seeds) {
        Seeds.run("StoreComparison", SEED_PROPERTY, seeds, seed -> new ComparisonRun(contract, seed).run());
    }
}
