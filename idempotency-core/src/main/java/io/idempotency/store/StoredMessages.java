package io.idempotency.store;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.SortedSet;

/**
 * The messages that a store remembers, as operators see and change them. Each method joins the active transaction, or uses its own. Thread-safe.
 */
public interface StoredMessages {

    /** Returns what the store remembers of a message. One round trip with a table; with journals, all segments of the consumer are read. */
    Optional<StoredMessage> look(MessageId id);

    /**
     * How long messages of a consumer are remembered.
     *
     * @param retention how long after they were settled; empty if nobody has said, and then they are never forgotten
     * @param since no message that was settled after this moment is forgotten, unless somebody asked for it; empty if none is forgotten
     */
    record Retained(Optional<Duration> retention, Optional<Instant> since) {}

    /** Returns how long messages of the consumer are remembered. */
    Retained retained(String consumer);

    /**
     * Returns the names of the consumers of this process, and of all of which this store remembers something, or a retention. One
     * round trip, with some look-ups for each name that is stored; the memory store looks at each message.
     */
    SortedSet<String> consumers();

    /**
     * Makes a message a dropped one: settled, not processed, and remembered for the retention from now on. It may be quarantined, released or not remembered.
     * A processed message stays as it is. A copy of a dropped message is a duplicate. Waits for other transactions that change the message, at most the claim
     * timeout.
     *
     * @param delivery the message, and the position with which it was quarantined
     * @return whether it is dropped now; false if it is processed
     * @throws ConflictException if the message is leased
     * @throws TransientStoreException if the same call may succeed later
     */
    boolean drop(Delivery delivery);

    /**
     * The result of one batch.
     *
     * @param messages how many messages were forgotten, or would be
     * @param quarantined how many messages stay, because they are in quarantine
     * @param next where the next batch begins; empty after the last one
     */
    record Batch(long messages, long quarantined, Optional<String> next) {}

    /**
     * Forgets the messages of a range that are processed or dropped, one batch of them. Messages that are leased or released meanwhile stay. So do quarantined
     * ones. To go on after a crash, begin again: what is forgotten is not found again.
     *
     * @param after where the batch begins: empty at first, then {@link Batch#next()}
     * @param limit how many messages the batch looks at; with journals, whole segments
     */
    Batch forget(MessageRange range, String after, int limit);

    /** Counts what {@link #forget} would forget, one batch. Changes nothing. */
    Batch count(MessageRange range, String after, int limit);
}
