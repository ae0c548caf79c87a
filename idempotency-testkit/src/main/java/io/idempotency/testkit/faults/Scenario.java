package io.idempotency.testkit.faults;

import java.util.ArrayList;
import java.util.List;

/**
 * One fault at one place: at the so many-th statement, commit or call of the handler that the first delivery makes.
 *
 * @param of how many such places there are
 */
record Scenario(Fault fault, int number, int of) {

    /** Counts the effects. What an application does only once, it does here. */
    static final Scenario UNDISTURBED = new Scenario(Fault.NONE, 1, 2);

    /** Counts the places for faults. */
    static final Scenario UNDISTURBED_AGAIN = new Scenario(Fault.NONE, 2, 2);

    /** More places than a handler usually has; each costs a delivery. */
    private static final int MOST_PLACES = 6;

    /** Returns all scenarios for code that does this when nothing fails. */
    static List<Scenario> of(Seen undisturbed) {
        List<Scenario> all = new ArrayList<>();
        int calls = undisturbed.handlerCalls();
        if (calls > 0) {
            all.add(new Scenario(Fault.DIES_BEFORE_EFFECT, calls, calls));
            all.add(new Scenario(Fault.DIES_AFTER_EFFECT, calls, calls));
        } else {
            addEach(Fault.DIES_BEFORE_COMMIT, undisturbed.commits(), all);
        }
        int offsetCommits = undisturbed.offsetCommits();
        if (offsetCommits > 0) {
            all.add(new Scenario(Fault.DIES_BEFORE_OFFSET_COMMIT, offsetCommits, offsetCommits));
        }
        if (undisturbed.goesOn() || (offsetCommits > 0 && calls == 0)) {
            all.add(new Scenario(Fault.DIES_AFTER_OFFSET_COMMIT, offsetCommits, offsetCommits));
        }
        addEach(Fault.STATEMENT_FAILS, undisturbed.statements(), all);
        addEach(Fault.COMMIT_FAILS, undisturbed.commits(), all);
        addEach(Fault.ANSWER_LOST, undisturbed.commits(), all);
        return all;
    }

    private static void addEach(Fault fault, int places, List<Scenario> all) {
        for (int number = 1; number <= Math.min(places, MOST_PLACES); number++) {
            all.add(new Scenario(fault, number, places));
        }
    }

    /**
     * How often the places of faults were passed in one delivery.
     *
     * @param goesOn whether work was seen after the last commit of offsets
     */
    record Seen(int handlerCalls, int statements, int commits, int offsetCommits, boolean goesOn) {}

    boolean isAt(Fault place, int passed) {
        return fault == place && number == passed;
    }

    /** Returns what happens, as a name of a test. */
    String title() {
        return fault.title() + place();
    }

    /** Returns what happened. */
    String past() {
        return fault.past() + place();
    }

    private String place() {
        return of > 1 ? " (" + number + " of " + of + ")" : "";
    }
}
