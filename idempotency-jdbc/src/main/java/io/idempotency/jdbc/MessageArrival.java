package io.idempotency.jdbc;

/** A delivery in the numbers of the table: key, offset and place. Ordered by key. */
record MessageArrival(MessageKey key, long offset, long place) implements Comparable<MessageArrival> {

    @Override
    public int compareTo(MessageArrival other) {
        return key.compareTo(other.key);
    }
}
