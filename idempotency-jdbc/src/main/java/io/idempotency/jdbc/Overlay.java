package io.idempotency.jdbc;

import io.idempotency.jdbc.Generation.Entry;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the running transaction appended to a journal. The window behind it sees it only after the commit, and only if it still stands where this
 * began. Confined to the transaction.
 */
final class Overlay {

    private final Window window;
    private final Tip base;
    private final List<Segment> segments = new ArrayList<>();
    /** What the first few segments hold: for a further claim, which most transactions do not make. */
    private final Generation generation = new Generation();

    private int found;
    private boolean isSettled;

    Overlay(Window window, Tip base) {
        this.window = window;
        this.base = base;
    }

    JournalKey key() {
        return window.key();
    }

    Window window() {
        return window;
    }

    /** Returns where the journal stood before. */
    Tip base() {
        return base;
    }

    boolean hasMade(Tip other) {
        return segments.stream().anyMatch(segment -> segment.tip().equals(other));
    }

    Tip tip() {
        return segments.isEmpty() ? base : segments.get(segments.size() - 1).tip();
    }

    void add(Segment segment) {
        segments.add(segment);
    }

    /** Notes that the last word about its segments was said. */
    void settled() {
        isSettled = true;
    }

    boolean isSettled() {
        return isSettled;
    }

    List<Segment> segments() {
        return List.copyOf(segments);
    }

    /** Takes the segments for the ones given, which are the same with other tokens. */
    void replace(List<Segment> others) {
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
