package io.idempotency.jdbc;

import io.idempotency.jdbc.JournalGeneration.Entry;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The segments that the running transaction appended to a journal. The window takes them over after the commit, if its tip is still where they begin.
 * Confined to the transaction.
 */
final class JournalOverlay {

    private final JournalWindow window;
    private final JournalTip base;
    private final List<JournalSegment> segments = new ArrayList<>();
    /** The messages of the first few segments, for a second claim; most transactions make only one. */
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

    /** Returns the tip before the appends. */
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

    /** Replaces the segments by the same ones with other tokens. */
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

    /** Adds the segments to the window, after the commit. */
    void committed() {
        window.add(base, segments);
    }
}
