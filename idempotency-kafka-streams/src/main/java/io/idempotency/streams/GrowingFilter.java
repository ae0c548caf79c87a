package io.idempotency.streams;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.commons.collections4.bloomfilter.Hasher;
import org.apache.commons.collections4.bloomfilter.Shape;
import org.apache.commons.collections4.bloomfilter.SimpleBloomFilter;

/**
 * A Bloom filter that grows: a full one stays, and another one takes the next ids, as large as all before, but with room for 16 thousand to 134 million. Ten bits for each id that has
 * room. Not thread-safe.
 */
final class GrowingFilter {

    /** How often each part takes an absent id for one that it has. */
    private static final double WRONG = 0.01;

    private static final int FEWEST = 1 << 14;
    private static final int MOST = 1 << 27;

    private final FilterMemory memory;
    private final List<SimpleBloomFilter> parts = new ArrayList<>();
    private long taken;
    private long ids;
    private long left;

    private GrowingFilter(FilterMemory memory) {
        this.memory = memory;
    }

    /** Returns an empty filter for so many ids; empty if there is no memory left for it. */
    static Optional<GrowingFilter> of(FilterMemory memory, long ids) {
        GrowingFilter filter = new GrowingFilter(memory);
        return filter.grow(ids) ? Optional.of(filter) : Optional.empty();
    }

    /** Returns whether an id may have been added. If not, it certainly was not. */
    boolean mayHave(Hasher id) {
        for (SimpleBloomFilter part : parts) {
            if (part.contains(id)) {
                return true;
            }
        }
        return false;
    }

    /** Adds an id. Returns false if there is no memory left for it; this filter is of no use then. */
    boolean add(Hasher id) {
        if (left == 0 && !grow(ids)) {
            return false;
        }
        left--;
        ids++;
        parts.get(parts.size() - 1).merge(id);
        return true;
    }

    private boolean grow(long more) {
        int size = (int) Math.max(FEWEST, Math.min(MOST, more));
        Shape shape = Shape.fromNP(size, WRONG);
        long bytes = shape.getNumberOfBits() / Byte.SIZE;
        if (!memory.take(bytes)) {
            return false;
        }
        taken += bytes;
        left = size;
        parts.add(new SimpleBloomFilter(shape));
        return true;
    }

    /** Gives its memory back. */
    void close() {
        memory.giveBack(taken);
        taken = 0;
    }
}
