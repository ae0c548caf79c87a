package io.idempotency.jdbc.model;

import io.idempotency.jdbc.model.Journal.Head;
import io.idempotency.jdbc.model.Journal.Segment;
import io.idempotency.jdbc.model.Journal.Version;
import java.util.List;

/** The segments of a partition that a store has in memory, from the horizon to the version of the head. */
record Window(Head head, List<Segment> segments) {

    static final Window UNLOADED = new Window(new Head(new Version(-1, 0), 0, 0), List.of());

    boolean isLoaded() {
        return head.version().number() >= 0;
    }

    boolean knows(char message) {
        boolean isKnown = false;
        for (Segment segment : segments) {
            if (segment.names(message)) {
                isKnown = !segment.isRemoval();
            }
        }
        return isKnown;
    }

    Window extended(List<Segment> more) {
        return more.isEmpty() ? this : at(more.get(more.size() - 1).version(), more);
    }

    Window at(Version version, List<Segment> more) {
        return new Window(
                new Head(version, head.horizonVersion(), head.horizonOffset()), Journal.joined(segments, more));
    }

    /** Returns the window without the segments below a horizon. */
    Window trimmed(int horizonVersion, int horizonOffset) {
        List<Segment> rest = segments.stream()
                .filter(segment -> segment.version().number() > horizonVersion)
                .toList();
        return new Window(new Head(head.version(), horizonVersion, horizonOffset), rest);
    }

    String inShort() {
        return isLoaded() ? head.version().number() + Journal.inShort(segments) : "-";
    }
}
