package io.idempotency.jdbc;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Names a journal: the consumer, and the partition of a stream. {@link JournalKey} is the same in numbers.
 *
 * @param stream the name of the topic's journals
 */
record JournalPlace(String consumer, String stream, int partition) {

    /** Returns the names that have numbers: two, or one if consumer and stream have the same name. */
    Set<String> names() {
        return new HashSet<>(List.of(consumer, stream));
    }

    @Override
    public String toString() {
        return consumer + " for " + stream + "-" + partition;
    }
}
