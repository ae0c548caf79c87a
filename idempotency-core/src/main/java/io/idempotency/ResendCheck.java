package io.idempotency;

/**
 * Compares a message that was sent again, at another position, with the message of that id that was processed. A sender that gives two messages one id is
 * found so: without a check the second one is skipped like a copy.
 *
 * <p>Called on the consuming thread, outside of any transaction, and before the offset of the message is committed. Not called for new messages, for redeliveries
 * of the same position, and in a transaction of the caller. What it throws counts as {@link Result#UNKNOWN}. Thread-safe.
 */
public interface ResendCheck<M> {

    /** What a comparison says. */
    enum Result {
        /** It is a copy. */
        SAME,
        /** It is another message with the same id. */
        DIFFERENT,
        /** One of the two is gone, or cannot be read. */
        UNKNOWN,
        /** There was no time to compare them. */
        UNCHECKED
    }

    /** What becomes of another message with the id of a processed one. */
    enum Policy {
        /** It is skipped like a copy. So is a message that was not compared. */
        SKIP,
        /** It is quarantined, under an id made of its position. A message that was not compared waits. */
        QUARANTINE,
        /** Its partition stands still. A message that was not compared waits. */
        FAIL
    }

    /** Returns what becomes of another message. A message with the result {@link Result#UNKNOWN} is skipped in any case. */
    Policy policy();

    /** Compares a message with the one that was processed, in bounded time. */
    Result compare(M message, Duplicate duplicate);
}
