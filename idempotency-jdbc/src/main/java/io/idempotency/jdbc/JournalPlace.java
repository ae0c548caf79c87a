package io.idempotency.jdbc;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The place of a journal by its names: a partition of a stream, and the consumer that reads it. {@link JournalKey} is the same in numbers.
 *
 * @param stream the name that the topic's journals have
 */
record JournalPlace(String consumer, String stream, int partition) {

    /** Returns the names that have numbers: two, or one if a consumer is named as its topic. */
    Set<String> names() {
        return new HashSet<>(List.of(consumer, stream));
    }

    @Override
    public String toString() {
        return consumer + " for " + stream + "-" + partition;
    }
}
