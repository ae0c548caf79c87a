package io.idempotency.streams;

import io.idempotency.Duplicate;
import io.idempotency.store.Delivery;
import io.idempotency.store.InvalidMessageIdException;
import io.idempotency.store.Position;

/**
 * Receives what a {@link Deduplication} does not forward, on the stream thread. Its exceptions are logged and change nothing; only errors of the virtual
 * machine leave. It may receive one record more than once: under both guarantees Kafka Streams repeats what was not committed.
 */
@FunctionalInterface
public interface DeduplicationListener {

    /**
     * Receives a copy that was dropped, or marked as a copy.
     *
     * @param duplicate how it arose, the position of the first record of this id, and how long ago that came
     */
    void onCopy(Delivery delivery, Duplicate duplicate);

    /**
     * Receives a record without a usable id that was forwarded or dropped.
     *
     * @param name the name of the deduplication
     */
    default void onMissingId(String name, Position position, InvalidMessageIdException reason) {}
}
