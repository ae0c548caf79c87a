package io.idempotency;

import java.util.List;
import java.util.Optional;

/** Works on messages so that a {@link ConsistencyLevel} is kept. Keeps no state of a poll; thread-safe. */
interface Level<M> {

    /**
     * Works on open messages. Settles at least one of them or stops at least one of their partitions; the rest may stay open and is
     * given again.
     */
    void work(Poll<M> poll, List<Item<M>> items, Handling<M> handling);

    /** Returns the level as it works inside a transaction of the caller; empty if it takes part in no transaction. */
    default Optional<Level<M>> joining() {
        return Optional.empty();
    }
}
