package io.idempotency.jdbc.model;

import java.util.ArrayList;
import java.util.List;

/**
 * The committed state of the database for one partition, and the member that has locked its head row. The segments include those that an archive
 * replaces, until they are deleted. Archives are listed from the oldest on, the one that is being built last.
 */
record Journal(Head head, List<Segment> segments, List<Archive> archives, int holder, Effects effects) {

    static final int FREE = -1;

    static final Journal EMPTY =
            new Journal(new Head(new Version(0, 0), 0, 0, 0), List.of(), List.of(), FREE, new Effects(List.of(), 0, 0));

    /** Counts the appends; the token, where there are tokens, tells two appends with one number apart. */
    record Version(int number, int token) {

        Version next(int nextToken) {
            return new Version(number + 1, nextToken);
        }
    }

    /**
     * The head row. Segments up to the horizon's version are purged, and offsets below its offset cannot be judged. Segments up to the archived version are
     * in archives.
     */
    record Head(Version version, int horizonVersion, int horizonOffset, int archivedVersion) {

        Head at(Version next) {
            return new Head(next, horizonVersion, horizonOffset, archivedVersion);
        }

        Head archivedUpTo(int last) {
            return new Head(version, horizonVersion, horizonOffset, last);
        }

        Head purgedUpTo(int last, int offset) {
            return new Head(version, last, Math.max(offset, horizonOffset), archivedVersion);
        }

        /** Up to here, no segments are read. */
        int lastGone() {
            return Math.max(horizonVersion, archivedVersion);
        }

        boolean isAt(Head other) {
            return version.equals(other.version);
        }
    }

    /** One append: its messages, or {@code -} and the one to be forgotten. It names the version that it was appended to. */
    record Segment(Version version, Version follows, String entries, int firstOffset, int day) {

        static final String REMOVAL = "-";

        boolean names(char message) {
            return entries.indexOf(message) >= 0;
        }

        boolean isRemoval() {
            return entries.startsWith(REMOVAL);
        }
    }

    /**
     * The effects by the offsets they came from, in the order of their commits. The bits are for the judge alone: offsets
     * whose retention has ended, and offsets whose effect is not to count any more.
     */
    record Effects(List<Integer> offsets, int outlived, int forgotten) {

        boolean isOutlived(int offset) {
            return ((outlived >> offset) & 1) != 0;
        }

        boolean isForgotten(int offset) {
            return ((forgotten >> offset) & 1) != 0;
        }
    }

    boolean isFree() {
        return holder == FREE;
    }

    Journal heldBy(int member) {
        return new Journal(head, segments, archives, member, effects);
    }

    Journal committed(List<Segment> appended, List<Integer> offsets) {
        if (appended.isEmpty()) {
            return heldBy(FREE);
        }
        Version last = appended.get(appended.size() - 1).version();
        return new Journal(
                head.at(last),
                joined(segments, appended),
                archives,
                FREE,
                new Effects(joined(effects.offsets, offsets), effects.outlived, effects.forgotten));
    }

    Journal archived(Head nextHead, List<Segment> nextSegments, List<Archive> nextArchives) {
        return new Journal(nextHead, List.copyOf(nextSegments), List.copyOf(nextArchives), holder, effects);
    }

    /** What one query shows of the head and the archives. */
    View view() {
        return new View(head, archives.stream().filter(Archive::isActive).toList());
    }

    /** The head, and the active archives from the oldest on. */
    record View(Head head, List<Archive> archives) {

        boolean has(Archive archive) {
            return archives.stream().anyMatch(archive::is);
        }

        /** Whether an archive that is not here any more was purged, or merged with others. */
        boolean explains(Archive absent) {
            return absent.last() <= head.horizonVersion()
                    || archives.stream()
                            .anyMatch(each -> each.first() <= absent.first() && each.last() >= absent.last());
        }
    }

    String inShort() {
        return head.version().number()
                + inShort(segments)
                + (archives.isEmpty()
                        ? ""
                        : archives.stream()
                                .map(archive -> (archive.isActive() ? "" : "?") + archive.entries())
                                .toList());
    }

    static String inShort(List<Segment> segments) {
        return segments.stream().map(Segment::entries).toList().toString();
    }

    static <T> List<T> joined(List<T> first, List<T> then) {
        List<T> all = new ArrayList<>(first);
        all.addAll(then);
        return List.copyOf(all);
    }
}
