package io.idempotency.store;

import java.time.Duration;

/** Receives the runs of a purger, on its thread. Exceptions are logged and change nothing. */
@FunctionalInterface
public interface PurgeListener {

    /**
     * Receives that a purger begins to run at intervals in this process. Called on the thread that starts it.
     *
     * @param store the kind of the store, as in {@link #onPurged}
     */
    default void onStarted(String store) {}

    /**
     * Receives a run that succeeded. A run is not told if it failed, or if another node had the turn.
     *
     * @param store the kind of the store: {@code table}, {@code journal} or {@code other}
     * @param messages how many messages were forgotten
     * @param took how long the run took, with its tasks
     */
    void onPurged(String store, long messages, Duration took);
}
