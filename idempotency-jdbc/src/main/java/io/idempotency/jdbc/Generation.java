package io.idempotency.jdbc;

import io.idempotency.jdbc.Segment.Kind;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The messages of consecutive segments, in memory. A window has a few of them, so that it can forget the oldest ones at once. Of a segment it
 * keeps what a duplicate is told: 20 bytes, and what is rare apart.
 */
final class Generation {

    /** What is known of a message. */
    record Entry(Kind kind, long at, long offset, long version) {}

    private final IdTable ids = new IdTable();
    private int[] firstNumbers = new int[4];
    private long[] times = new long[4];
    private long[] firstOffsets = new long[4];
    private final Map<Integer, Kind> kinds = new HashMap<>();
    private final Map<Integer, long[]> offsets = new HashMap<>();
    private int segments;
    private long lastVersion;
    private long lastOffset = -1;
    private long rareBytes;

    boolean hasRoomFor(Segment segment) {
        return ids.size() + segment.offsets().length <= IdTable.CAPACITY;
    }

    /** Returns the time of the first segment. */
    long begin() {
        return times[0];
    }

    long lastVersion() {
        return lastVersion;
    }

    /** Returns the greatest offset of all segments. */
    long lastOffset() {
        return lastOffset;
    }

    boolean isEmpty() {
        return segments == 0;
    }

    int size() {
        return ids.size();
    }

    long bytes() {
        return ids.bytes() + firstNumbers.length * 20L + rareBytes;
    }

    void add(Segment segment) {
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
        if (!Segment.isInARow(all)) {
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
        lastOffset = Math.max(lastOffset, all[all.length - 1]);
    }

    /** Gets ready to find what was added. */
    void index() {
        ids.index();
    }

    /** Returns the number of the newest entry of the id, or -1. */
    int find(long high, long low) {
        return ids.find(high, low);
    }

    /** Sets the entries of the ids that have none yet, as far as it knows them. Returns how many it knows. */
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

    /** Returns what is known of the entry with the number. */
    Entry entry(int number) {
        int place = Arrays.binarySearch(firstNumbers, 0, segments, number);
        int segment = place >= 0 ? place : -place - 2;
        // A segment that is not proved holds nothing, so the next one begins with the same number.
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
