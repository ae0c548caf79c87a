package io.idempotency.jdbc.model;

import io.idempotency.jdbc.model.Journal.Segment;
import java.util.ArrayList;
import java.util.List;

/**
 * Consecutive segments of a partition, merged. While it is being built, nobody reads it. One that is dead is as good as deleted to every reader, so
 * here it is deleted at once.
 *
 * @param number drawn at random; here it stands for the versions and the timeline, because whoever merges the same segments gets the same archive
 * @param entries the newest entry of each message: itself, or {@code -} before it if it was forgotten
 */
record Archive(int number, boolean isActive, int first, int last, List<String> entries, Extent extent) {

    /** Its offsets, up to the one behind the last, and the days of its first and last entry. */
    record Extent(int firstOffset, int endOffset, int firstDay, int lastDay) {

        static Extent of(List<Segment> segments) {
            return new Extent(
                    segments.get(0).firstOffset(),
                    segments.stream().mapToInt(Extent::end).max().orElseThrow(),
                    segments.get(0).day(),
                    segments.get(segments.size() - 1).day());
        }

        static int end(Segment segment) {
            return segment.firstOffset() + segment.entries().length();
        }

        Extent and(Extent next) {
            return new Extent(firstOffset, Math.max(endOffset, next.endOffset), firstDay, next.lastDay);
        }
    }

    /** What an archive, or the live part of a window, has about a message. */
    enum Answer {
        NOTHING,
        KNOWN,
        FORGOTTEN
    }

    static Archive of(int number, List<Segment> segments) {
        List<String> entries = new ArrayList<>();
        for (Segment segment : segments) {
            if (segment.isRemoval()) {
                entries.add(segment.entries());
            } else {
                segment.entries().chars().forEach(each -> entries.add(String.valueOf((char) each)));
            }
        }
        int first = segments.get(0).version().number();
        int last = segments.get(segments.size() - 1).version().number();
        return new Archive(number, false, first, last, List.copyOf(entries), Extent.of(segments));
    }

    Archive and(int nextNumber, Archive next) {
        return new Archive(
                nextNumber, false, first, next.last, Journal.joined(entries, next.entries), extent.and(next.extent));
    }

    Archive activated() {
        return new Archive(number, true, first, last, entries, extent);
    }

    Archive with(List<String> others) {
        return new Archive(number, isActive, first, last, List.copyOf(others), extent);
    }

    boolean is(Archive other) {
        return number == other.number;
    }

    /** The filter confuses each message with the one before it in the alphabet. */
    boolean mayHave(char message) {
        return answer(message) != Answer.NOTHING || answer((char) (message - 1)) != Answer.NOTHING;
    }

    Answer answer(char message) {
        return entries.stream()
                .filter(entry -> entry.charAt(entry.length() - 1) == message)
                .reduce((earlier, later) -> later)
                .map(entry -> entry.length() > 1 ? Answer.FORGOTTEN : Answer.KNOWN)
                .orElse(Answer.NOTHING);
    }
}
