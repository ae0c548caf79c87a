package io.idempotency.jdbc;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * A set of 64-bit keys that says "no", which is always right, or "maybe", which is wrong for one of 65,536 absent keys. It takes about 18 bits a key and never
 * changes. After T. M. Graf and D. Lemire, "Binary Fuse Filters: Fast and Smaller Than Xor Filters", Journal of Experimental Algorithmics 27, 2022. Thread-safe.
 *
 * <p>A key has one slot in each of three neighbouring segments. The slots hold fingerprints, so that those of the key's three slots, combined by xor, are the
 * fingerprint of the key. To build it, keys are peeled off: a key that is alone in a slot is put aside, which may leave other keys alone, and so on. In the
 * opposite order each key sets the slot in which it was alone. If some keys are left, it is tried again with other slots.
 */
final class BinaryFuseFilter {

    private static final int MOST_ATTEMPTS = 100;
    private static final int LONGEST_SEGMENT = 1 << 18;
    /** Seed, length and number of segments. */
    private static final int HEADER = Long.BYTES + 2 * Integer.BYTES;

    private final long seed;
    private final int segmentLength;
    private final int segments;
    private final short[] fingerprints;

    private BinaryFuseFilter(long seed, int segmentLength, int segments, short[] fingerprints) {
        this.seed = seed;
        this.segmentLength = segmentLength;
        this.segments = segments;
        this.fingerprints = fingerprints;
    }

    /** Builds a filter; equal keys count as one. Takes about thirty bytes a key meanwhile. */
    static BinaryFuseFilter of(long[] keys) {
        long[] distinct = distinct(keys);
        int segmentLength = segmentLength(distinct.length);
        int segments = segments(distinct.length, segmentLength);
        for (int attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
            BinaryFuseFilter empty = new BinaryFuseFilter(
                    ArchiveHash.permuted(attempt), segmentLength, segments, new short[(segments + 2) * segmentLength]);
            if (new Construction(empty).isBuilt(distinct)) {
                return empty;
            }
        }
        // One attempt of about a hundred fails.
        throw new IllegalStateException("No filter for " + distinct.length + " keys");
    }

    private static long[] distinct(long[] keys) {
        long[] sorted = keys.clone();
        Arrays.sort(sorted);
        int size = 0;
        for (int i = 0; i < sorted.length; i++) {
            if (i == 0 || sorted[i] != sorted[i - 1]) {
                sorted[size++] = sorted[i];
            }
        }
        return Arrays.copyOf(sorted, size);
    }

    /** Returns the length that the paper found best for three slots. */
    private static int segmentLength(int keys) {
        int log = keys < 2 ? 2 : (int) Math.floor(Math.log(keys) / Math.log(3.33) + 2.25);
        return Math.min(1 << log, LONGEST_SEGMENT);
    }

    private static int segments(int keys, int segmentLength) {
        double slots = keys < 2 ? keys : keys * Math.max(1.125, 0.875 + 0.25 * Math.log(1e6) / Math.log(keys));
        return Math.max(1, (int) Math.ceil(slots / segmentLength) - 2);
    }

    /** Locates the slots of some keys; {@link #compare} is next. */
    void locate(SoughtKeys sought, int from, int to) {
        for (int i = from; i < to; i++) {
            long hash = hash(sought.keys[i]);
            int first = first(hash);
            sought.firsts[i] = first;
            sought.seconds[i] = second(hash, first);
            sought.thirds[i] = third(hash, first);
            sought.differences[i] = fingerprint(hash);
        }
    }

    /** Answers for the keys whose slots were located. */
    void compare(SoughtKeys sought, int from, int to) {
        for (int i = from; i < to; i++) {
            sought.differences[i] ^= (short)
                    (fingerprints[sought.firsts[i]] ^ fingerprints[sought.seconds[i]] ^ fingerprints[sought.thirds[i]]);
        }
    }

    private long hash(long key) {
        return ArchiveHash.permuted(key + seed);
    }

    private int first(long hash) {
        return (int) (((hash >>> Integer.SIZE) * segments * segmentLength) >>> Integer.SIZE);
    }

    private int second(long hash, int first) {
        return (first + segmentLength) ^ ((int) (hash >>> 18) & segmentLength - 1);
    }

    private int third(long hash, int first) {
        return (first + 2 * segmentLength) ^ ((int) hash & segmentLength - 1);
    }

    private static short fingerprint(long hash) {
        return (short) (hash ^ hash >>> Integer.SIZE);
    }

    /** Returns how many bytes of memory it takes. */
    long bytes() {
        return HEADER + fingerprints.length * (long) Short.BYTES;
    }

    byte[] packed() {
        ByteBuffer bytes = ByteBuffer.allocate(HEADER + fingerprints.length * Short.BYTES);
        bytes.putLong(seed)
                .putInt(segmentLength)
                .putInt(segments)
                .asShortBuffer()
                .put(fingerprints);
        return bytes.array();
    }

    static BinaryFuseFilter unpacked(byte[] packed) {
        ByteBuffer bytes = ByteBuffer.wrap(packed);
        long seed = bytes.getLong();
        int segmentLength = bytes.getInt();
        int segments = bytes.getInt();
        short[] fingerprints = new short[bytes.remaining() / Short.BYTES];
        if (fingerprints.length != (segments + 2L) * segmentLength || Integer.bitCount(segmentLength) != 1) {
            throw new IllegalStateException("A filter of " + packed.length + " bytes cannot have " + segments
                    + " segments of " + segmentLength);
        }
        bytes.asShortBuffer().get(fingerprints);
        return new BinaryFuseFilter(seed, segmentLength, segments, fingerprints);
    }

    /** One attempt to build a filter. */
    private static final class Construction {

        private final BinaryFuseFilter filter;
        /** How many keys have the slot, and the xor of their hashes: the hash of the key that is alone there. */
        private final int[] counts;

        private final long[] hashes;
        private final int[] alone;
        private int waiting;

        Construction(BinaryFuseFilter filter) {
            this.filter = filter;
            this.counts = new int[filter.fingerprints.length];
            this.hashes = new long[counts.length];
            this.alone = new int[counts.length];
        }

        boolean isBuilt(long[] keys) {
            for (long key : keys) {
                change(filter.hash(key), 1);
            }
            waiting = 0;
            for (int slot = 0; slot < counts.length; slot++) {
                addIfAlone(slot);
            }
            long[] peeled = new long[keys.length];
            int[] slots = new int[keys.length];
            int size = 0;
            while (waiting > 0) {
                int slot = alone[--waiting];
                if (counts[slot] == 1) {
                    long hash = hashes[slot];
                    peeled[size] = hash;
                    slots[size++] = slot;
                    change(hash, -1);
                    int first = filter.first(hash);
                    addIfAlone(first);
                    addIfAlone(filter.second(hash, first));
                    addIfAlone(filter.third(hash, first));
                }
            }
            if (size < keys.length) {
                return false;
            }
            while (size-- > 0) {
                set(peeled[size], slots[size]);
            }
            return true;
        }

        private void change(long hash, int by) {
            int first = filter.first(hash);
            change(first, hash, by);
            change(filter.second(hash, first), hash, by);
            change(filter.third(hash, first), hash, by);
        }

        private void change(int slot, long hash, int by) {
            counts[slot] += by;
            hashes[slot] ^= hash;
        }

        /** A slot comes at most once from the first look and once from its last change, in which it has left the others. */
        private void addIfAlone(int slot) {
            if (counts[slot] == 1) {
                alone[waiting++] = slot;
            }
        }

        private void set(long hash, int slot) {
            short[] all = filter.fingerprints;
            int first = filter.first(hash);
            all[slot] = 0;
            all[slot] = (short)
                    (fingerprint(hash) ^ all[first] ^ all[filter.second(hash, first)] ^ all[filter.third(hash, first)]);
        }
    }
}
