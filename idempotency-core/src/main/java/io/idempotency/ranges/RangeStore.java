package io.idempotency.ranges;

import io.idempotency.store.IdempotencyException;
import java.util.List;

/** Keeps ranges from their record until they are written. Thread-safe. */
public interface RangeStore {

    /**
     * Records ranges in the active transaction, the one that claims their messages. One round trip.
     *
     * @throws IdempotencyException if no transaction is active on its data
     */
    void open(List<Range> ranges);

    /** Returns the ranges of a consumer that are recorded and not done, of each partition in the order of their first offsets. One round trip. */
    List<Range> open(String consumer);

    /** Notes that a range is written. Has no effect if somebody has noted it. In a transaction of its own; one round trip. */
    void done(Range range);
}
