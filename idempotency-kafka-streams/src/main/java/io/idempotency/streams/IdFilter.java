package io.idempotency.streams;

import io.idempotency.store.StoredId;
import java.util.UUID;
import org.apache.commons.collections4.bloomfilter.EnhancedDoubleHasher;
import org.apache.commons.collections4.bloomfilter.Hasher;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/**
 * Knows of most new ids that a store does not have them, without asking it. Not thread-safe.
 *
 * <p>It is filled by passes through the store, from the smallest key to the largest, and by the ids that are added meanwhile. A pass makes a new filter, without
 * the ids that were deleted. That one answers for the keys in front of the place that the pass has reached, and the filter of the pass before for all others. Where there is
 * none, because it is the first pass or the memory did not suffice, the store must be asked.
 */
final class IdFilter {

    private final FilterMemory memory;
    /** Has all ids of the store, but for those that were added in front of {@link #place} during this pass. */
    private @Nullable GrowingFilter whole;
    /** Has all ids in front of {@link #place}. */
    private @Nullable GrowingFilter next;
    /** The first key that this pass has not told; null at its begin, and between two passes. */
    private @Nullable Bytes place;

    IdFilter(FilterMemory memory) {
        this.memory = memory;
    }

    /** Returns whether an id is certainly not in the store. */
    boolean isAbsent(Bytes id) {
        GrowingFilter filter = isPassed(id) ? next : whole;
        return filter != null && !filter.mayHave(hasher(id));
    }

    /** Adds an id that is new in the store. */
    void add(Bytes id) {
        if (isPassed(id)) {
            tell(id);
        } else if (whole != null && !whole.add(hasher(id))) {
            close(whole);
            whole = null;
        }
    }

    private boolean isPassed(Bytes id) {
        return place != null && id.compareTo(place) < 0;
    }

    /** Begins a pass through about so many ids. Returns false if there is no memory for its filter; the pass is of no use here then. */
    boolean begin(long ids) {
        if (place != null) {
            // A pass that failed: the ids that were added in front of the place are in its filter only.
            close();
        }
        close(next);
        next = GrowingFilter.of(memory, ids).orElse(null);
        return next != null;
    }

    /** Tells an id of the store, in the order of their bytes. */
    void tell(Bytes id) {
        if (next != null && !next.add(hasher(id))) {
            // The ids that were added in front of the place are in no other filter.
            close();
        }
    }

    /** Ends a part of a pass in front of a key. */
    void tellTo(Bytes key) {
        place = next == null ? null : key;
    }

    /** Ends a pass. */
    void end() {
        if (next != null) {
            close(whole);
            whole = next;
            next = null;
        }
        place = null;
    }

    /** Returns whether it answers for all ids. */
    boolean isWhole() {
        return whole != null;
    }

    /** Gives its memory back. */
    void close() {
        close(whole);
        close(next);
        whole = null;
        next = null;
        place = null;
    }

    private static void close(@Nullable GrowingFilter filter) {
        if (filter != null) {
            filter.close();
        }
    }

    private static Hasher hasher(Bytes id) {
        UUID bits = StoredId.fromBytes(id.get());
        return new EnhancedDoubleHasher(
                Utils.murmur2(id.get()), bits.getMostSignificantBits() ^ bits.getLeastSignificantBits());
    }
}
