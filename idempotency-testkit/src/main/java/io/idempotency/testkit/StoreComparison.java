package io.idempotency.testkit;

/**
 * Compares a store with the memory store. Both run the same random sequences of operations, inside and outside of transactions, and must give the same
 * answers: statuses, attempts, starts, positions, and lost leases.
 *
 * <p>It has one thread; {@link ConcurrencyFuzz} tests concurrency. Instants and ages are not compared. No lease and no retention ends within five seconds of an
 * operation, so the store's clock may run. It must run, because two leases at the same instant look the same. Leases are compared if the store is a
 * {@link io.idempotency.store.LeaseStore}. The system property {@value #SEED_PROPERTY} replays one seed. Every sequence uses a consumer of its
 * own, so the data may be shared.
 */
public final class StoreComparison {

    /** The system property with a seed to replay. */
    public static final String SEED_PROPERTY = "idempotency.comparison.seed";

    /** How many sequences run by default. */
    public static final int DEFAULT_SEEDS = 200;

    private StoreComparison() {}

    /**
     * Runs {@value #DEFAULT_SEEDS} sequences on the store under test.
     *
     * @throws AssertionError with the seed and the operations, if the answers differ
     */
    public static void run(StoreContract contract) {
        run(contract, DEFAULT_SEEDS);
    }

    /**
     * Runs the given number of sequences on the store under test.
     *
     * @throws AssertionError with the seed and the operations, if the answers differ
     */
    public static void run(StoreContract contract, int seeds) {
        Seeds.run("StoreComparison", SEED_PROPERTY, seeds, seed -> new ComparisonRun(contract, seed).run());
    }
}
