package io.idempotency.samples.demo;

import io.idempotency.samples.demo.Tally.Count;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The table at the end, with the verdict below it. */
public final class Report {

    private final List<String> lines = new ArrayList<>();

    /** Begins with an empty table. */
    public Report() {}

    /** Begins a part of the table. */
    public Report heading(String text) {
        lines.add("");
        lines.add(text);
        return this;
    }

    /** Adds a line with a number. */
    public Report row(String what, long number) {
        lines.add(String.format(Locale.ROOT, "  %-66s %,11d", what, number));
        return this;
    }

    /** Prints the table. */
    public void print() {
        lines.forEach(System.out::println);
        System.out.println();
    }

    /** Returns the outcome in a sentence. */
    static String sentence(Audit audit, boolean isGood) {
        return isGood
                ? String.format(
                        Locale.ROOT,
                        "PASSED: %,d payments posted once + %,d poisonous payment in quarantine, as planned",
                        audit.effects(),
                        audit.quarantined())
                : "FAILED: see what is named PROBLEM above, and the logs";
    }

    /**
     * Returns the last line of the program. {@code lost} and {@code double} come from the audit; {@code duplicates}, {@code redeliveries} and
     * {@code resends} are the library's reports.
     */
    static String verdict(Audit audit, Tally tally) {
        return "verdict: unique=" + audit.unique()
                + " effects=" + audit.effects()
                + " quarantined=" + audit.quarantined()
                + " duplicates=" + tally.duplicates()
                + " redeliveries=" + tally.get(Count.REDELIVERIES)
                + " resends=" + tally.get(Count.RESENDS)
                + " lost=" + audit.lost().size()
                + " double=" + audit.doubled().size();
    }
}
