package io.idempotency.jdbc;

/**
 * A delivery in the numbers of the table: key, offset and place.
 *
 * @param offset as the row has it, see {@link #unordered}
 */
record MessageArrival(MessageKey key, long offset, long place) {

    /**
     * Returns the offset that a row has if its message came in any order. It is negative, so no horizon that the purge makes of it has another message at or
     * behind it.
     */
    static long unordered(long offset) {
        return -1 - offset;
    }

    /** Returns the offset of a message whose row has this one. */
    static long offset(long stored) {
        return stored < 0 ? unordered(stored) : stored;
    }
}
