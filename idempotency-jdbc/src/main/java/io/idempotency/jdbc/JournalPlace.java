package io.idempotency.jdbc;

import io.idempotency.store.Delivery;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What a journal is for: a partition that a consumer reads.
 *
 * @param stream the name that the topic's journals have
 */
record JournalPlace(String consumer, String stream, int partition) {

    /** Returns whether two deliveries have the same journal without a look at the names of streams. */
    static boolean isSame(Delivery one, Delivery other) {
        return one.position().partition() == other.position().partition()
                && one.position().stream().equals(other.position().stream())
                && one.id().consumer().equals(other.id().consumer());
    }

    /** Returns the names that have numbers: two, or one if a consumer is named as its topic. */
    Set<String> names() {
        return new HashSet<>(List.of(consumer, stream));
    }

    @Override
    public String toString() {
        return consumer + " for " + stream + "-" + partition;
    }
}
