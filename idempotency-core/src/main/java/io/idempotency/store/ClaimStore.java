package io.idempotency.store;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Remembers processed messages within the caller's transaction. Thread-safe.
 *
 * <p>{@link #claim}, {@link #quarantine} and {@link #forget} take part in the transaction that is active on the thread: what they
 * did is rolled back with it. A transaction that claimed and is not the one about to commit is not committed: its commit
 * throws {@link TransactionLostException}.
 */
public interface ClaimStore {

    /**
     * Gets ready for a claim of these deliveries, before its transaction begins: what takes long, or must be committed on its own. A claim
     * that was not prepared does the same within its transaction. Nothing to do for most stores.
     *
     * @throws TransientStoreException if it is to be run again
     */
    default void prepare(List<Delivery> deliveries) {}

    /**
     * Says that this process has left a partition, such as after a rebalance: what a store keeps in memory for it may go. Changes nothing that is
     * stored, and may come too late or never. Nothing to do for most stores.
     *
     * @param stream the topic, as {@link Position#stream()} gives it
     */
    default void leave(String consumer, String stream, int partition) {}

    /**
     * Returns whether a copy of a message is known only in the partition of the first, so that messages that need not stay in one, for
     * they have no key or come from a retry topic, are refused.
     */
    default boolean isPartitioned() {
        return false;
    }

    /**
     * Claims the deliveries for the active transaction, which makes them processed when it commits.
     *
     * <p>The answers are in the order asked, one for each. If several deliveries of the list are copies of one message, the first one is
     * asked for and the others are its duplicates, settled only together with it. A message that another transaction has
     * claimed and not yet committed is waited for, at most the claim timeout. One round trip if every message is new, two
     * otherwise.
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

    /** Says when and where a message was processed or quarantined; empty if it was not, or is forgotten. One round trip. */
    Optional<Processed> find(MessageId id);

    /**
     * Forgets a message, whatever its state, so that its next delivery is new. Joins the active transaction, or uses its
     * own. Returns whether it was remembered. One round trip.
     */
    boolean forget(MessageId id);

    /**
     * Forgets up to {@code limit} messages that were settled, or whose lease ended, longer ago than {@code olderThan}. Returns
     * how many: 0 when there are no more. In a short transaction of its own.
     *
     * <p>A store that several applications share forgets of each consumer only what is older than the longest time that any of them has given for it, and
     * nothing of a consumer for which nobody has.
     *
     * @throws IdempotencyException if a transaction is active on the thread
     */
    int purge(Duration olderThan, int limit);

    /** Returns the transactions that this store takes part in. */
    Transactions transactions();
}
