package io.idempotency.store;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Remembers processed messages within the caller's transaction. Thread-safe.
 *
 * <p>{@link #claim}, {@link #quarantine}, {@link #unquarantine} and {@link #forget} take part in the transaction that is active on the thread: a rollback undoes
 * their changes. If the transaction that is about to commit is not the one that claimed, it is not committed: its commit throws
 * {@link TransactionLostException}.
 */
public interface ClaimStore {

    /**
     * Notes a consumer of this process before its first message, so that the first purge already knows how long its messages are remembered. No round trip.
     * Most stores have nothing to do.
     */
    default void register(String consumer) {}

    /**
     * Notes that messages of a consumer come in any order in this process, because a share group delivers them. So an offset says nothing about them: behind it,
     * others may be settled and purged while it waits. No round trip. Stores that look at ids alone have nothing to do.
     */
    default void anyOrder(String consumer) {}

    /**
     * Prepares a claim of these deliveries before its transaction begins, with work that takes long or must be committed on its own. A claim that was
     * not prepared does this work within its transaction. Most stores have nothing to do.
     *
     * @throws TransientStoreException if the same call may succeed later
     */
    default void prepare(List<Delivery> deliveries) {}

    /**
     * Notes that this process has left a partition, for example after a rebalance, so that the store can drop it from its memory. Changes nothing
     * that is stored. The call may come too late or never. Most stores have nothing to do.
     *
     * @param stream the topic, as {@link Position#stream()} gives it
     */
    default void leave(String consumer, String stream, int partition) {}

    /**
     * Returns whether the store detects a duplicate only in the partition of the original. The consumer then refuses messages whose copies may be in
     * other partitions, because they have no key or come from a retry topic.
     */
    default boolean isPartitioned() {
        return false;
    }

    /**
     * Returns how long messages of a consumer are remembered, as far as this process knows without a round trip; empty if it does not know, or if they are
     * remembered for good.
     */
    default Optional<Duration> remembers(String consumer) {
        return Optional.empty();
    }

    /**
     * Claims the deliveries for the active transaction, which makes them processed when it commits.
     *
     * <p>The answers are in the order asked, one for each. They may be a view of the deliveries: do not change that list while you use them. If several deliveries of the list are copies of one message, the first one is
     * claimed and the others are its duplicates, settled only together with it. If another transaction has claimed a message and not yet
     * ended, the call waits for it, at most the claim timeout. One round trip if every message is new, two otherwise.
     *
     * @throws IdempotencyException if no transaction is active on this store's data
     * @throws TransientStoreException if the claim must be run again in another transaction
     */
    List<Claim> claim(List<Delivery> deliveries);

    /**
     * Makes a granted message a quarantined one: settled, not processed. The claim is one that this transaction was
     * granted, a lease, or a committed claim whose handler failed. Joins the active transaction, or uses its own.
     *
     * @throws ClaimLostException if the claim is a lease that another attempt has taken
     */
    void quarantine(Claim claim);

    /**
     * Makes granted messages expired ones: settled and remembered as processed ones are, although no handler was called. The claims are those that this
     * transaction was granted; if they are leases, this completes them, see {@link LeaseStore#complete}. Joins the active transaction, or uses its own. A few
     * round trips, whatever the number of claims; with journals for each partition. A store that tells no operator what became of a message may
     * leave claims as they are, and completes leases.
     *
     * @throws ClaimLostException if some are leases that other attempts have taken; the others are expired
     */
    void expire(List<Claim> claims);

    /**
     * Makes a quarantined message new for its next claim or lease. A message that is processed or leased stays as it is. A message that is not
     * remembered any more becomes new, too, although it may lie behind what the purge has forgotten: whoever calls this has the message in quarantine,
     * and so knows that it was not processed. Joins the active transaction, or uses its own. At most three round trips. Waits for another transaction at
     * most the claim timeout.
     *
     * @param delivery the message, and the position with which it was quarantined
     * @throws TransientStoreException if it must be run again in another transaction
     */
    void unquarantine(Delivery delivery);

    /** Returns when and where a message was processed or quarantined; empty if it was not, or is forgotten. One round trip. */
    Optional<Processed> find(MessageId id);

    /**
     * Forgets a message that is processed, dropped, leased or released, so that its next delivery is new. Joins the active transaction, or uses its
     * own. Returns whether it was remembered. One round trip.
     *
     * <p>A message in quarantine is refused. Its entry would stay, and whoever replays or drops that entry later would take a processed message for a
     * failed one.
     *
     * @throws ConflictException if the message is in quarantine
     */
    boolean forget(MessageId id);

    /**
     * Forgets up to {@code limit} messages that were settled, or whose lease ended, longer ago than {@code olderThan}. Returns
     * how many: 0 when there are no more. In a short transaction of its own.
     *
     * <p>In a store that several applications share, a message is forgotten only after the longest time that any of them has given for its consumer.
     * Messages of a consumer without such a time are kept. A quarantined message is kept as long as the quarantine beside the store has it.
     *
     * @throws IdempotencyException if a transaction is active on the thread
     */
    int purge(Duration olderThan, int limit);

    /**
     * Returns the time by the clock with which this store stamps its messages; by default, that of this process. Reads it on the connection of the
     * active transaction, or on one of its own. One round trip if the clock is that of a server.
     */
    default Instant now() {
        return Instant.now();
    }

    /** Returns the remembered messages, for operators. */
    default StoredMessages messages() {
        throw new UnsupportedOperationException("This store has no verbs for operators");
    }

    /** Returns the transactions that this store takes part in. */
    Transactions transactions();
}
