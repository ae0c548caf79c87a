package io.idempotency;

/**
 * What a crash may do to the effect of a message. The full table, cell by cell as seen by a test, is
 * {@code docs/guarantees.md}.
 */
public enum ConsistencyLevel {
    /** Claim and effect commit in one database transaction: the effect happens once. The default. */
    STRONG,
    /** The message is leased, handled without a transaction and completed: the effect may repeat, never be missing. */
    AT_LEAST_ONCE,
    /** The claim is committed before the handler runs: the effect may be missing, never repeat. */
    AT_MOST_ONCE,
    /** Measured only; nothing is remembered. */
    NONE
}
