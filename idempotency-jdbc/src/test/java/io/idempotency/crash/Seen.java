package io.idempotency.crash;

import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * The state of the database when everything of a cell was settled.
 *
 * @param lives how many processes it took
 * @param fates the fate of each message
 */
record Seen(int lives, Map<String, Fate> fates) {

    /**
     * The fate of a message.
     *
     * @param calls how often a handler began with it
     * @param effects how often its effect is in the database
     */
    record Fate(int calls, int effects, boolean isQuarantined) {}

    /** The message that the crash hit. */
    Fate target() {
        return fate(Cell.TARGET);
    }

    /** The message just before it, in the same partition and the same poll. */
    Fate before() {
        return fate(Cell.MESSAGES.get(Cell.MESSAGES.indexOf(Cell.TARGET) - 1));
    }

    /** The messages that it did not hit. */
    Map<String, Fate> others() {
        Map<String, Fate> others = new TreeMap<>(fates);
        others.remove(Cell.TARGET);
        return others;
    }

    private Fate fate(String message) {
        return Objects.requireNonNull(fates.get(message), message);
    }
}
