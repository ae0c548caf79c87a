package io.idempotency;

import io.idempotency.store.QuarantineEntry;

/**
 * Makes a message of a quarantined one and hands it to {@link Replayer#consumer()}, as a poll hands it to the live consumer. Called on the thread
 * of the replayer, outside any transaction, for one message at a time.
 */
@FunctionalInterface
public interface ReplayHandler {

    /**
     * Handles a quarantined message again.
     *
     * @param replay the id of the replay
     * @throws io.idempotency.replay.UnreadableBytesException if its bytes are gone or make no message: it stays in quarantine, and no attempt is counted
     * @throws io.idempotency.store.TransientStoreException if it is to be tried again later
     * @throws Exception any other failure is the message's own, as if its handler had thrown it
     */
    void handle(QuarantineEntry entry, String replay) throws Exception;
}
