package io.idempotency;

/**
 * Says what a crash may do to the effect of a message. {@code docs/guarantees.md} has the full table, cell by cell as seen by a test.
 */
public enum ConsistencyLevel {
    /** Claim and effect commit in one database transaction: the effect happens once. The default. */
    STRONG,
    /** The message is leased, handled without a transaction and completed: the effect may repeat, never be missing. */
    AT_LEAST_ONCE,
    /** The claim is committed before the handler runs: the effect may be missing, never repeat. */
    AT_MOST_ONCE,
    /** The handler runs for every delivery. Consumptions are reported, nothing is remembered. */
    NONE
}
