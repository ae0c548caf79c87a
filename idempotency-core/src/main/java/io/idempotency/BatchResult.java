package io.idempotency;

import java.util.List;

/**
 * How the consumption of several messages ended.
 *
 * @param outcomes one for each message, in the order given
 * @param stops at most one for each partition, for those that have unsettled messages
 */
public record BatchResult(List<Outcome> outcomes, List<Stop> stops) {

    public BatchResult {
        outcomes = List.copyOf(outcomes);
        stops = List.copyOf(stops);
    }

    /** Returns whether the offsets of all messages may be committed. */
    public boolean isSettled() {
        return stops.isEmpty();
    }
}
