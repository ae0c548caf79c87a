package io.idempotency.jdbc;

import io.idempotency.jdbc.JournalGeneration.Entry;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The ids of a claim that have no entry yet, in the order of their hashes. In this order those of one filter follow each other, and are read while it is in the
 * processor's cache. Confined to a claim.
 */
final class HashedIds {

    private final ArchiveHash hash;
    private final int[] indices;
    private final SoughtKeys sought;

    HashedIds(Ids ids, @Nullable Entry[] entries, ArchiveHash hash) {
        this.hash = hash;
        long[] hashes = new long[ids.size()];
        // The upper bits of the hash and, in the lower ones, the index. Numbers are sorted many times faster than
        // objects.
        long[] packed = new long[hashes.length];
        long indexBits = (Long.highestOneBit(hashes.length) << 1) - 1;
        int size = 0;
        for (int id = 0; id < hashes.length; id++) {
            hashes[id] = hash.hash(ids.high(id), ids.low(id));
            if (entries[id] == null) {
                packed[size++] = (hashes[id] & ~indexBits) | id;
            }
        }
        Arrays.sort(packed, 0, size);
        indices = new int[size];
        long[] keys = new long[size];
        for (int i = 0; i < size; i++) {
            int index = (int) (packed[i] & indexBits);
            int at = i;
            // Equal upper bits are rare, so there is hardly ever something to move.
            for (; at > 0 && keys[at - 1] > hashes[index]; at--) {
                keys[at] = keys[at - 1];
                indices[at] = indices[at - 1];
            }
            keys[at] = hashes[index];
            indices[at] = index;
        }
        sought = new SoughtKeys(keys);
    }

    /** Returns by what they are hashed. */
    ArchiveHash hash() {
        return hash;
    }

    /** Returns the hashes, ascending. */
    SoughtKeys sought() {
        return sought;
    }

    /** Returns the index of the id with the hash at a place. */
    int index(int at) {
        return indices[at];
    }
}
