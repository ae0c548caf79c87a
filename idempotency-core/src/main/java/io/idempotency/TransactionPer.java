package io.idempotency;

/** How many records share a transaction under {@link ConsistencyLevel#STRONG}. */
public enum TransactionPer {
    /** A transaction and a commit for each record. */
    RECORD,
    /** One transaction for a whole chunk of a poll, and smaller ones after failures. */
    POLL
}
