package io.idempotency.jdbc;

import java.util.Comparator;

/**
 * The key of a journal in numbers: a consumer and a partition.
 *
 * @param consumer the number of the consumer
 * @param place the number of the stream in the upper half, the partition in the lower
 */
record JournalKey(int consumer, long place) implements Comparable<JournalKey> {

    private static final Comparator<JournalKey> ORDER =
            Comparator.comparingInt(JournalKey::consumer).thenComparingLong(JournalKey::place);

    @Override
    public int compareTo(JournalKey other) {
        return ORDER.compare(this, other);
    }
}
