package io.idempotency;

import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import java.time.Duration;
import java.util.Optional;

/**
 * Known duplicates in memory, so that they cost no round trip. Holds processed messages only; the flow fills it after commit
 * and at no other time. While {@link #find} or {@link #remember} fail, the store is asked instead. Thread-safe.
 */
public interface DuplicateCache {

    /**
     * What is known of a processed message.
     *
     * @param position where it was processed first
     * @param age how long ago
     */
    record Known(Position position, Duration age) {}

    /** Returns what is known; empty says nothing about whether the message was processed. */
    Optional<Known> find(MessageId id);

    /** Remembers a message whose processing has committed. */
    void remember(MessageId id, Known known);

    /** Forgets a message. */
    void forget(MessageId id);

    /** Returns a cache that knows nothing. */
    static DuplicateCache none() {
        return NoCache.INSTANCE;
    }
}
