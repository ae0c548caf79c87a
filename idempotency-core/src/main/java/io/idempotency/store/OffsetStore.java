package io.idempotency.store;

import java.util.List;

/**
 * Keeps for each partition of a consumer which offsets are settled, one row for each, beside the ids. The rows may be behind what is settled, never ahead: they
 * are written after the commit. Whoever forgets messages of a consumer forgets its rows in the same transaction, so that nobody goes on behind a message that is
 * to be handled again. Thread-safe.
 */
public interface OffsetStore {

    /** Returns what is stored for a consumer, in no order. One round trip; two more for names that this process does not know. */
    List<SettledRun> runs(String consumer);

    /**
     * Stores runs in place of those with their tokens; of a run without a token, if none is stored. In a short transaction of its own, with a round trip or two
     * for each run.
     *
     * @param token the token that the runs have from now on
     * @return the runs that were not stored, because somebody has stored another one meanwhile, or has forgotten messages of this consumer
     * @throws IdempotencyException if a transaction is active on the thread
     * @throws TransientStoreException if the same call may succeed later
     */
    List<SettledRun> store(String consumer, List<SettledRun> runs, long token);
}
