package io.idempotency.store;

/**
 * What a store tells of deliveries that it could not judge: their memory was purged, so nobody knows whether they were processed. No method makes a round trip.
 * Thread-safe.
 */
public interface UnjudgedStatistics {

    /** What became of such a delivery. */
    enum Action {
        /** It was refused, and its partition stands still. It counts again each time it is tried. */
        REFUSED,
        /** It was processed, perhaps again. */
        PROCESSED,
        /** It was skipped, although it may not have been processed. */
        SKIPPED
    }

    /** Returns how often this process has done this with a delivery of the consumer, also in transactions that were rolled back and tried again. */
    long unjudged(String consumer, Action action);
}
