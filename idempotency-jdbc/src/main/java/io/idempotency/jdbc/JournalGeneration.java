package io.idempotency.jdbc;

import io.idempotency.jdbc.JournalSegment.Kind;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * The messages of consecutive segments, in memory. A window has a few generations, so that it can forget the oldest at once. For each segment it keeps
 * 20 bytes for the answers about duplicates, and rare properties separately.
 */
final class JournalGeneration {

    /** The entry of a message. */
    record Entry(Kind kind, long at, long offset, long version) {}

    private final IdTable ids = new IdTable();
    private int[] firstNumbers = new int[4];
    private long[] times = new long[4];
    private long[] firstOffsets = new long[4];
    private final Map<Integer, Kind> kinds = new HashMap<>();
    private final Map<Integer, long[]> offsets = new HashMap<>();
    private int segments;
    private long lastVersion;
    private long rareBytes;

    boolean hasRoomFor(JournalSegment segment) {
        return ids.size() + segment.offsets().length <= IdTable.CAPACITY;
    }

    /** Returns the time of the first segment. */
    long begin() {
        return times[0];
    }

    /** Returns the number of segments. */
    int segments() {
        return segments;
    }

    /** Returns the first offset of the first segment that begins behind an offset, or -1. */
    long firstOffset(long behind) {
        return Arrays.stream(firstOffsets, 0, segments)
                .filter(offset -> offset > behind)
                .findFirst()
                .orElse(-1);
    }

    /** Returns the greatest offset of the first segments. */
    long lastOffset(int first) {
        return IntStream.range(0, first).mapToLong(this::lastOffsetOf).max().orElse(-1);
    }

    private long lastOffsetOf(int segment) {
        long[] all = offsets.get(segment);
        return all == null ? firstOffsets[segment] + size(segment) - 1 : all[all.length - 1];
    }

    private int size(int segment) {
        return (segment + 1 < segments ? firstNumbers[segment + 1] : ids.size()) - firstNumbers[segment];
    }

    /** Returns a copy without the first segments. */
    JournalGeneration without(int first) {
        JournalGeneration rest = new JournalGeneration();
        for (int segment = first; segment < segments; segment++) {
            rest.add(segment(segment));
        }
        return rest;
    }

    private JournalSegment segment(int index) {
        int size = size(index);
        long[] all = offsets.get(index);
        if (all == null) {
            all = LongStream.range(firstOffsets[index], firstOffsets[index] + size)
                    .toArray();
        }
        return new JournalSegment(
                new JournalTip(lastVersion - segments + 1 + index, 0),
                kinds.getOrDefault(index, Kind.PROCESSED),
                times[index],
                ids.copy(firstNumbers[index], size),
                all);
    }

    long lastVersion() {
        return lastVersion;
    }

    boolean isEmpty() {
        return segments == 0;
    }

    int size() {
        return ids.size();
    }

    /** Returns how many messages the segments behind a version have. */
    int sizeAfter(long version) {
        long behind = version - (lastVersion - segments);
        return behind >= segments ? 0 : ids.size() - firstNumbers[(int) Math.max(0, behind)];
    }

    long bytes() {
        return ids.bytes() + firstNumbers.length * 20L + rareBytes;
    }

    void add(JournalSegment segment) {
        if (segments == firstNumbers.length) {
            int room = segments + segments / 2;
            firstNumbers = Arrays.copyOf(firstNumbers, room);
            times = Arrays.copyOf(times, room);
            firstOffsets = Arrays.copyOf(firstOffsets, room);
        }
        long[] all = segment.offsets();
        firstNumbers[segments] = ids.size();
        times[segments] = segment.at();
        firstOffsets[segments] = all[0];
        if (!JournalSegment.isInARow(all)) {
            offsets.put(segments, all);
            rareBytes += 80 + all.length * 8L;
        }
        if (segment.kind() != Kind.PROCESSED) {
            kinds.put(segments, segment.kind());
            rareBytes += 64;
        }
        for (int i = 0; i < all.length && segment.kind() != Kind.UNPROVED; i++) {
            ids.add(segment.ids()[2 * i], segment.ids()[2 * i + 1]);
        }
        segments++;
        lastVersion = segment.tip().version();
    }

    /** Indexes the messages that were added. */
    void index() {
        ids.index();
    }

    /** Returns the number of the newest entry of the id, or -1. */
    int find(long high, long low) {
        return ids.find(high, low);
    }

    /** Sets the entries of those ids that have none yet and that it knows. Returns how many it set. */
    int find(Ids sought, @Nullable Entry[] entries) {
        int[] numbers = ids.find(sought);
        int found = 0;
        for (int i = 0; i < numbers.length; i++) {
            if (numbers[i] >= 0 && entries[i] == null) {
                entries[i] = entry(numbers[i]);
                found++;
            }
        }
        return found;
    }

    /** Returns the entry with the number. */
    Entry entry(int number) {
        int found = Arrays.binarySearch(firstNumbers, 0, segments, number);
        int segment = found >= 0 ? found : -found - 2;
        // An unproved segment holds no messages, so the next one begins with the same number.
        while (segment + 1 < segments && firstNumbers[segment + 1] == number) {
            segment++;
        }
        int index = number - firstNumbers[segment];
        long[] all = offsets.get(segment);
        return new Entry(
                kinds.getOrDefault(segment, Kind.PROCESSED),
                times[segment],
                all == null ? firstOffsets[segment] + index : all[index],
                lastVersion - segments + 1 + segment);
    }
}
