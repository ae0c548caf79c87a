package io.idempotency.testkit.faults;

import io.idempotency.ConsistencyLevel;
import io.idempotency.FailureText;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.StringJoiner;

/** What happened in a scenario, delivery by delivery. Thread-safe. */
final class History {

    private static final int MOST_WORDS = 200;

    private final List<Entry> entries = new ArrayList<>();
    private final Set<String> ids = new LinkedHashSet<>();
    private final Set<String> remarks = new LinkedHashSet<>();
    private boolean hasSwallowed;
    private Optional<String> quarantine = Optional.empty();
    private Optional<ConsistencyLevel> level = Optional.empty();

    private static final class Entry {

        private final String what;
        private final List<String> then = new ArrayList<>();

        Entry(String what) {
            this.what = what;
        }

        boolean isLike(Entry other) {
            return what.equals(other.what) && then.equals(other.then);
        }
    }

    /** Adds a delivery. */
    synchronized void delivered(String what) {
        entries.add(new Entry(what));
    }

    /** Adds something that happened to the last delivery. */
    synchronized void happened(String what) {
        if (!entries.isEmpty()) {
            Entry last = entries.get(entries.size() - 1);
            if (last.then.isEmpty() || !last.then.get(last.then.size() - 1).equals(what)) {
                last.then.add(what);
            }
        }
    }

    /** Adds an id that the library read from a message. */
    synchronized void identified(String id) {
        ids.add(id);
    }

    /** Adds something that explains the result, once. */
    synchronized void remark(String remark) {
        remarks.add(remark);
    }

    /** Adds that the handler returned although its statement had failed. */
    synchronized void swallowed() {
        hasSwallowed = true;
        remarks.add("The handler returned normally after its statement had failed: it swallowed the exception");
    }

    /** Returns whether the handler returned although its statement had failed. */
    synchronized boolean hasSwallowed() {
        return hasSwallowed;
    }

    /** Adds the end of a message. */
    synchronized void quarantined(String failure) {
        quarantine = Optional.of(failure);
    }

    synchronized void consumedAt(ConsistencyLevel consistency) {
        level = Optional.of(consistency);
    }

    /** Returns the level of the consumer, if there is one that tells. */
    synchronized Optional<ConsistencyLevel> level() {
        return level;
    }

    /** Returns the ids that the library read, each once. */
    synchronized List<String> ids() {
        return List.copyOf(ids);
    }

    synchronized List<String> remarks() {
        return List.copyOf(remarks);
    }

    synchronized Optional<String> quarantine() {
        return quarantine;
    }

    /** Returns a line for each delivery; one for several in a row that went the same way. */
    @Override
    public synchronized String toString() {
        StringJoiner lines = new StringJoiner("\n");
        for (int i = 0, next; i < entries.size(); i = next) {
            Entry entry = entries.get(i);
            next = i + 1;
            while (next < entries.size() && entries.get(next).isLike(entry)) {
                next++;
            }
            lines.add((next == i + 1 ? "  delivery " + (i + 1) : "  deliveries " + (i + 1) + " to " + next) + ", "
                    + entry.what + (entry.then.isEmpty() ? "" : ": " + String.join("; ", entry.then)));
        }
        return lines.toString();
    }

    /** Returns a failure in a few words. */
    static String words(Throwable failure) {
        String line = FailureText.line(failure);
        return line.length() <= MOST_WORDS ? line : line.substring(0, MOST_WORDS) + "...";
    }
}
