package io.idempotency.simulation;

/** What may go wrong. Each seed allows some of them: a few at a time find more than all together. */
enum Fault {
    /** A process dies at any step. */
    DEATH(150),
    /** A process is paused for up to three leases. */
    PAUSE(60),
    /** The loop of a process is closed, by another thread or by its own handler. */
    STOP(250),
    /** The group rebalances, whether its members poll or not. */
    REBALANCE(60),
    /** A committed offset goes back with a rebalance. */
    REWIND(3),
    /** The partitions of a fenced member go while no poll runs, as under KIP-848. */
    TAKEN_AWAY(2),
    /** A record goes because a later one has the same key. */
    COMPACTION(40),
    /** A poll fails, before or after it took records out of the fetch. */
    POLL_FAILS(30),
    /** An offset commit fails, or its answer is lost. */
    OFFSETS_FAIL(5),
    /** The clock of the database goes forth or back. */
    CLOCK_JUMPS(80),
    /** A call of the store fails for a transient reason. */
    STORE_FAILS(12),
    /** A call of the store fails for a reason that does not pass by itself. */
    STORE_REFUSES(50),
    /** A transaction fails at its commit, and the answer says so. */
    COMMIT_FAILS(8),
    /** A transaction returns as if all were well, and is rolled back: somebody had set it to. */
    COMMIT_SILENTLY_UNDONE(12),
    /** The answer of a commit is lost, whether it was done or not, or is done later. */
    COMMIT_UNKNOWN(8),
    /** An operator forgets a message. */
    FORGET(10),
    /** Messages are purged that somebody may deliver again. */
    PURGE(10),
    /** A handler fails although its message is fine. */
    HANDLER_FAILS(12),
    /** A handler fails for a transient reason. */
    HANDLER_TRANSIENT(12),
    /** A handler commits its transaction. */
    HANDLER_COMMITS(10),
    /** Some messages kill the process that handles them. */
    KILLERS(12),
    /** Some records cannot be deserialized. */
    UNREADABLE(12),
    /** A caller rolls its own transaction back, or swallows a failure in it. */
    CALLER_FAILS(6);

    /** How often it happens where it can: once in so many times. */
    final int rarity;

    Fault(int rarity) {
        this.rarity = rarity;
    }
}
