package io.idempotency.jdbc;

import java.util.Arrays;

/**
 * Keys that filters are asked about together, and the last answer for each. A filter first locates all slots, and then compares them in a loop without a branch, so
 * that the processor waits for many memory reads at a time. {@code PartBenchmark.asksArchives} measures it. Confined to a claim.
 */
final class SoughtKeys {

    final long[] keys;
    final int[] firsts;
    final int[] seconds;
    final int[] thirds;
    final short[] differences;

    SoughtKeys(long[] keys) {
        this.keys = keys;
        this.firsts = new int[keys.length];
        this.seconds = new int[keys.length];
        this.thirds = new int[keys.length];
        this.differences = new short[keys.length];
    }

    int size() {
        return keys.length;
    }

    long key(int index) {
        return keys[index];
    }

    /** Denies all keys up to an index, without it. */
    void deny(int to) {
        Arrays.fill(differences, 0, to, (short) 1);
    }

    /** Returns false if the filter that compared it does not have the key. */
    boolean isMaybe(int index) {
        return differences[index] == 0;
    }
}
