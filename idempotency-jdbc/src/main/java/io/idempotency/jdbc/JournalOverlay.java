package io.idempotency.jdbc;

import io.idempotency.jdbc.JournalGeneration.Entry;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the running transaction appended to a journal. The window behind it sees it only after the commit, and only if it still stands where this
 * began. Confined to the transaction.
 */
final class JournalOverlay {

    private final JournalWindow window;
    private final JournalTip base;
    private final List<JournalSegment> segments = new ArrayList<>();
    /** What the first few segments hold: for a further claim, which most transactions do not make. */
    private final JournalGeneration generation = new JournalGeneration();

    private int found;
    private boolean isSettled;

    JournalOverlay(JournalWindow window, JournalTip base) {
        this.window = window;
        this.base = base;
    }

    JournalKey key() {
        return window.key();
    }

    JournalWindow window() {
        return window;
    }

    /** Returns where the journal stood before. */
    JournalTip base() {
        return base;
    }

    boolean hasMade(JournalTip other) {
        return segments.stream().anyMatch(segment -> segment.tip().equals(other));
    }

    JournalTip tip() {
        return segments.isEmpty() ? base : segments.get(segments.size() - 1).tip();
    }

    void add(JournalSegment segment) {
        segments.add(segment);
    }

    /** Notes that the last word about its segments was said. */
    void settled() {
        isSettled = true;
    }

    boolean isSettled() {
        return isSettled;
    }

    List<JournalSegment> segments() {
        return List.copyOf(segments);
    }

    /** Takes the segments for the ones given, which are the same with other tokens. */
    void replace(List<JournalSegment> others) {
        segments.clear();
        segments.addAll(others);
    }

    @Nullable
    Entry find(long high, long low) {
        while (found < segments.size()) {
            generation.add(segments.get(found++));
        }
        int number = generation.find(high, low);
        return number < 0 ? null : generation.entry(number);
    }

    /** Lets the window know, after the commit. */
    void committed() {
        window.add(base, segments);
    }
}
