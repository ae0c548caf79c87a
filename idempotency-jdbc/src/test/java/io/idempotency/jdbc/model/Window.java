package io.idempotency.jdbc.model;

import io.idempotency.jdbc.model.Archive.Answer;
import io.idempotency.jdbc.model.Journal.Head;
import io.idempotency.jdbc.model.Journal.Segment;
import io.idempotency.jdbc.model.Journal.Version;
import io.idempotency.jdbc.model.Journal.View;
import java.util.ArrayList;
import java.util.List;

/**
 * What a store has in memory of a partition, from the horizon to the version of the head: segments, and of archives no more than a filter each. Of the
 * archives themselves only their numbers and versions are read here.
 */
record Window(Head head, List<Segment> segments, List<Archive> archives) {

    static final Window UNLOADED = new Window(new Head(new Version(-1, 0), 0, 0, 0), List.of(), List.of());

    boolean isLoaded() {
        return head.version().number() >= 0;
    }

    /** What the segments have about a message. */
    Answer live(char message) {
        Answer answer = Answer.NOTHING;
        for (Segment segment : segments) {
            if (segment.names(message)) {
                answer = segment.isRemoval() ? Answer.FORGOTTEN : Answer.KNOWN;
            }
        }
        return answer;
    }

    /** The archives to be asked about a message, from the newest on. */
    List<Archive> maybe(char message) {
        List<Archive> maybe = new ArrayList<>();
        for (Archive archive : archives) {
            if (live(message) == Answer.NOTHING && archive.last() > head.horizonVersion() && archive.mayHave(message)) {
                maybe.add(0, archive);
            }
        }
        return maybe;
    }

    Window extended(List<Segment> more) {
        return more.isEmpty() ? this : at(more.get(more.size() - 1).version(), more);
    }

    Window at(Version version, List<Segment> more) {
        return new Window(head.at(version), Journal.joined(segments, more), archives);
    }

    /** Returns the window without the segments below a horizon. */
    Window trimmed(int horizonVersion, int horizonOffset) {
        return new Window(
                head.purgedUpTo(horizonVersion, horizonOffset),
                after(segments, horizonVersion),
                archives.stream()
                        .filter(archive -> archive.last() > horizonVersion)
                        .toList());
    }

    /** Returns the window without the segments that the archives replace. */
    Window archived(View view) {
        Head next = head.archivedUpTo(view.head().archivedVersion())
                .purgedUpTo(
                        Math.max(head.horizonVersion(), view.head().horizonVersion()),
                        view.head().horizonOffset());
        return new Window(next, after(segments, next.lastGone()), view.archives());
    }

    static List<Segment> after(List<Segment> segments, int version) {
        return segments.stream()
                .filter(segment -> segment.version().number() > version)
                .toList();
    }

    String inShort() {
        return isLoaded()
                ? head.version().number()
                        + Journal.inShort(segments)
                        + (archives.isEmpty()
                                ? ""
                                : archives.stream().map(Archive::entries).toList())
                : "-";
    }
}
