package io.idempotency;

import java.util.List;

/** One row of the table of promises. Stateless towards the poll, thread-safe. */
interface Level<M> {

    /**
     * Works on open messages. Settles at least one of them or stops at least one of their partitions; the rest may stay open and is
     * given again.
     */
    void work(Poll<M> poll, List<Item<M>> items, Handling<M> handling);
}
