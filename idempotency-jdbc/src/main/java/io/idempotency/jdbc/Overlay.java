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
    private final Generation generation = new Generation();

    Overlay(Window window, Tip base) {
        this.window = window;
        this.base = base;
    }

    JournalKey key() {
        return window.key();
    }

    Tip tip() {
        return segments.isEmpty() ? base : segments.get(segments.size() - 1).tip();
    }

    void add(Segment segment) {
        segments.add(segment);
        generation.add(segment);
    }

    @Nullable
    Entry find(long high, long low) {
        int number = generation.find(high, low);
        return number < 0 ? null : generation.entry(number);
    }

    /** Lets the window know, after the commit. */
    void committed() {
        window.add(base, segments);
    }
}
