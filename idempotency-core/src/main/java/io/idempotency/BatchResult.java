package io.idempotency;

import java.util.List;

/**
 * The result of consuming several messages.
 *
 * @param outcomes one for each message, in the order given
 * @param stops one for each partition that has unsettled messages
 */
public record BatchResult(List<Outcome> outcomes, List<Stop> stops) {

    public BatchResult {
        outcomes = List.copyOf(outcomes);
        stops = List.copyOf(stops);
    }

    /**
     * Returns whether all outcomes are settled, so that the offsets of all messages may be committed. Otherwise each of the {@link #stops} says from where on to
     * deliver the messages of its partition again; those before it are settled.
     */
    public boolean isSettled() {
        return stops.isEmpty();
    }
}
