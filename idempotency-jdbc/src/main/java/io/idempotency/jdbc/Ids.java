package io.idempotency.jdbc;

import java.util.Arrays;

/**
 * Ids to be found together, without an object for each. Each hash is computed once for all tables. {@code PartBenchmark.decidesOnNewPoll} measures
 * it.
 */
final class Ids {

    private long[] numbers;
    private long[] hashes;
    private int size;

    /** Creates an empty list. It grows if more ids are added than expected, at least one. */
    Ids(int expected) {
        this.numbers = new long[expected * 2];
        this.hashes = new long[expected];
    }

    void add(long high, long low) {
        if (size == hashes.length) {
            numbers = Arrays.copyOf(numbers, size * 4);
            hashes = Arrays.copyOf(hashes, size * 2);
        }
        numbers[2 * size] = high;
        numbers[2 * size + 1] = low;
        hashes[size++] = IdTable.hash(high, low);
    }

    int size() {
        return size;
    }

    long high(int index) {
        return numbers[2 * index];
    }

    long low(int index) {
        return numbers[2 * index + 1];
    }

    long hash(int index) {
        return hashes[index];
    }
}
