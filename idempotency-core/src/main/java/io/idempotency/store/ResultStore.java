package io.idempotency.store;

import java.util.List;

/** Keeps results of messages as long as the messages are remembered. Thread-safe. */
public interface ResultStore {

    /**
     * Stores a result of a message; one with the same name is replaced.
     *
     * <p>For a claim in a transaction, the result is stored in that transaction: it is there if and only if the message is processed. For a lease, it is stored
     * in a short transaction of its own, which locks the lease: a late owner stores nothing. One round trip for a claim, and a few for a lease.
     *
     * @throws TransientStoreException if another attempt has taken the lease, so that the results are that one's
     * @throws IdempotencyException if the result is too large, or cannot be stored
     */
    void put(Claim claim, StoredResult result);

    /**
     * Checks that {@link #put} can store a result now. No round trip.
     *
     * @throws IdempotencyException if the claim is a lease and a transaction is active on the thread, or the other way round
     */
    void requirePuttable(Claim claim);

    /**
     * Deletes the results of a leased message, those of an earlier life: it was forgotten, and they were not yet.
     *
     * @throws TransientStoreException if another attempt has taken the lease
     */
    void clear(Claim lease);

    /**
     * Returns the results of a message, in the order in which they were stored; empty if there are none, or they are forgotten. In a transaction it sees what
     * others had committed before this call. One round trip.
     */
    List<StoredResult> find(MessageId id);
}
