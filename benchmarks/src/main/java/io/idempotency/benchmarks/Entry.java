package io.idempotency.benchmarks;

import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * A contestant in a scenario.
 *
 * @param label its name in the results
 * @param contestant its name, see {@link Contestant}
 * @param round the differences of its rounds from those of the scenario
 * @param filling fills the tables before each of its rounds
 */
record Entry(String label, String contestant, UnaryOperator<Round> round, Preparation filling) {

    private static final Set<String> WITHOUT_EFFECTS =
            Set.of("read", "journal-warm-up", "journal-plain-read", "table-purge", "journal-purge");

    static Entry of(String contestant) {
        return new Entry(contestant, contestant, round -> round, Preparation.NONE);
    }

    Entry labelled(String other) {
        return new Entry(other, contestant, round, filling);
    }

    Entry with(UnaryOperator<Round> change) {
        return new Entry(label, contestant, change, filling);
    }

    Entry filledBy(Preparation before) {
        return new Entry(label, contestant, round, before);
    }

    /** Returns whether it has an effect for each new message. */
    boolean hasEffects() {
        return !WITHOUT_EFFECTS.contains(contestant);
    }
}
