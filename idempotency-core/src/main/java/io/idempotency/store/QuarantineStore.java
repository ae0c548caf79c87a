package io.idempotency.store;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;

/**
 * Keeps quarantined messages until they are replayed or deleted. Each method joins the active transaction, or uses its own. {@code toString} names
 * the place of the messages for the log. Thread-safe.
 */
public interface QuarantineStore {

    /**
     * Keeps a message. It replaces one that is kept already: the time of the first failure stays, the generation grows, and the message belongs to no
     * replay any more.
     *
     * @throws TransientStoreException if another transaction has locked the message for longer than the claim timeout
     */
    void save(QuarantinedMessage message);

    /** Returns the kept message with its bytes. */
    Optional<QuarantineEntry> find(MessageId id);

    /**
     * Returns the kept message if it still has this generation, and locks it until the active transaction ends. So only one of several nodes works on a
     * message.
     *
     * @throws IdempotencyException if no transaction is active
     * @throws TransientStoreException if another transaction has locked the message for longer than the claim timeout
     */
    Optional<QuarantineEntry> take(MessageId id, long generation);

    /**
     * Lists the next {@code limit} chosen messages, in the order of topic, partition and offset, without their bytes. The limit of the selection does
     * not count.
     *
     * @param after the delivery of the last message of the page before; empty for the first page
     */
    List<QuarantineSummary> list(QuarantineSelection selection, Optional<Delivery> after, int limit);

    /** Counts the chosen messages. The limit of the selection does not count. */
    QuarantineCount count(QuarantineSelection selection);

    /**
     * Lists up to {@code limit} groups of the chosen messages, those with the most messages first; equal ones by name. The limit of the selection does not
     * count. The number of round trips does not depend on the number of groups.
     */
    default List<QuarantineGroup> groups(QuarantineSelection selection, int limit) {
        throw new UnsupportedOperationException("This quarantine cannot group its messages");
    }

    /** Lists the ids of up to {@code limit} kept messages of a consumer, those whose first failure is oldest first. */
    List<MessageId> list(String consumer, int limit);

    /**
     * Returns the hashes of up to {@code limit} keys that have kept messages of this partition, in no order. One round trip.
     *
     * @param stream the topic, as {@link Position#stream()} gives it
     */
    default Set<Long> keyHashes(String consumer, String stream, int partition, int limit) {
        throw noOrder();
    }

    /**
     * Returns the last kept message of this key that was quarantined before the position in its partition. One round trip.
     *
     * @param keyHash the hash of the key, not 0
     */
    default Optional<Delivery> lastBefore(String consumer, Position position, long keyHash) {
        throw noOrder();
    }

    /**
     * Counts the kept messages of this key that were quarantined behind earlier ones, after the position in its partition. One round trip.
     *
     * @param keyHash the hash of the key, not 0
     */
    default long countBehind(String consumer, Position position, long keyHash) {
        return 0;
    }

    /**
     * A message that was quarantined behind an earlier one of its key.
     *
     * @param generation as in {@link QuarantineEntry#generation()}
     */
    record Follower(MessageId id, long generation, Position position) {}

    /**
     * Lists up to {@code limit} messages of a consumer that were quarantined behind earlier ones of their key, and are the first of their key and
     * partition now: the earlier ones were replayed or deleted. Messages of a replay are left out. In the order of their offsets within each partition.
     */
    default List<Follower> freeFollowers(String consumer, int limit) {
        return List.of();
    }

    private static RuntimeException noOrder() {
        return new UnsupportedOperationException("This quarantine keeps no order of keys");
    }

    /**
     * Deletes a kept message. Returns whether it was kept.
     *
     * @throws TransientStoreException if another transaction has locked the message for longer than the claim timeout
     */
    boolean delete(MessageId id);

    /** Counts the kept messages of each consumer that has some, by name. One round trip that reads no bytes, so it may be asked each minute. */
    default SortedMap<String, QuarantineTotal> totals() {
        throw new UnsupportedOperationException("This quarantine cannot count its messages");
    }
}
