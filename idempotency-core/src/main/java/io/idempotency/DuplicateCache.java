package io.idempotency;

import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import java.time.Duration;
import java.util.Optional;

/**
 * Caches processed messages in memory, so that their duplicates cost no round trip. The consumer fills it after a commit and at no other
 * time. While {@link #find} or {@link #remember} fail, the consumer asks the store. Thread-safe.
 */
public interface DuplicateCache {

    /**
     * The first processing of a message.
     *
     * @param position the position at which it was processed
     * @param age how long ago
     */
    record Known(Position position, Duration age) {}

    /** Returns the entry of a message. No entry does not mean that the message is new. */
    Optional<Known> find(MessageId id);

    /** Remembers a message whose processing has committed. */
    void remember(MessageId id, Known known);

    /** Forgets a message. */
    void forget(MessageId id);

    /** Forgets all messages. */
    void clear();

    /** Returns a cache that is always empty. */
    static DuplicateCache none() {
        return NoCache.INSTANCE;
    }
}
