package io.idempotency.streams;

import io.idempotency.store.StoredId;
import java.util.UUID;
import org.apache.commons.collections4.bloomfilter.EnhancedDoubleHasher;
import org.apache.commons.collections4.bloomfilter.Hasher;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Knows of most new ids that a store does not have them, without asking it. Not thread-safe.
 *
 * <p>It is filled by passes through the store, from the smallest key to the largest, and by the ids that are added meanwhile. A pass makes a new filter, without
 * the ids that were deleted. That one answers for the keys in front of the place that the pass has reached, and the filter of the pass before for all others. Where there is
 * none, because it is the first pass or the memory did not suffice, the store must be asked.
 */
final class IdFilter {

    private static final Logger LOG = LoggerFactory.getLogger(Deduplication.class);

    private final String name;
    private final FilterMemory memory;
    /** Has all ids of the store, but for those that were added in front of {@link #place} during this pass. */
    private @Nullable GrowingFilter whole;
    /** Has all ids in front of {@link #place}. */
    private @Nullable GrowingFilter next;
    /** The first key that this pass has not told; null at its begin, between two passes, and without memory. */
    private @Nullable Bytes place;

    private boolean isShort;

    /** @param name what the log calls it */
    IdFilter(String name, FilterMemory memory) {
        this.name = name;
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
            tellOfShortage();
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
        if (next == null) {
            tellOfShortage();
        }
        return next != null;
    }

    private void tellOfShortage() {
        if (!isShort && memory != FilterMemory.NONE) {
            LOG.info(
                    "Deduplication {}: there is no memory left for a filter, so each record asks the store, which takes longer. All filters take a sixteenth of the heap",
                    name);
        }
        isShort = true;
    }

    /** Tells an id of the store, in the order of their bytes. */
    void tell(Bytes id) {
        if (next != null && !next.add(hasher(id))) {
            if (place == null) {
                close(next);
                next = null;
            } else {
                // The ids that were added in front of the place are in no other filter.
                close();
            }
            tellOfShortage();
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
            isShort = false;
        }
        place = null;
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
