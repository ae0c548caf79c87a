package io.idempotency.jdbc;

import java.util.Arrays;

/**
 * Ids that are looked for together: no object for each, and its hash computed once for all tables. Measured by {@code
 * PartBenchmark.decidesOnNewPoll}.
 */
final class Ids {

    private long[] numbers;
    private long[] hashes;
    private int size;

    /** Creates it without ids. Grows if there are more than expected, of which there must be one. */
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
