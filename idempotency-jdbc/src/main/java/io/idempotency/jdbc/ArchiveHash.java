package io.idempotency.jdbc;

import java.util.SplittableRandom;

/**
 * The order of the messages of archives: a hash of each id, by a seed that is drawn for each journal and never leaves the database. Hash and second half of an id
 * are a permutation of the id, so that a page need not store the first half: it is computed. Immutable.
 *
 * <p>The first half is changed by a keyed function of the second one, multiplied by an odd key, and permuted by the finalizer of MurmurHash3 (public domain).
 * Senders choose ids. Without the seed they know of no two ids whose hashes are equal: ids with the same second half never have equal hashes, and others by
 * chance only, because the function is multilinear with random multipliers (M. Thorup, "High Speed Hashing for Integers and Strings", 2015), as in {@link IdTable}.
 */
final class ArchiveHash {

    private static final long LOWER = 0xFFFF_FFFFL;
    private static final long FIRST_FACTOR = 0xFF51AFD7ED558CCDL;
    private static final long SECOND_FACTOR = 0xC4CEB9FE1A85EC53L;
    private static final int SHIFT = 33;

    private final long a0;
    private final long a1;
    private final long a2;
    private final long b0;
    private final long b1;
    private final long b2;
    private final long factor;
    private final long inverse;

    ArchiveHash(long seed) {
        SplittableRandom drawn = new SplittableRandom(seed);
        a0 = drawn.nextLong();
        a1 = drawn.nextLong();
        a2 = drawn.nextLong();
        b0 = drawn.nextLong();
        b1 = drawn.nextLong();
        b2 = drawn.nextLong();
        factor = drawn.nextLong() | 1;
        inverse = inverse(factor);
    }

    /** Returns the hash of an id. */
    long hash(long high, long low) {
        return permuted((high ^ mask(low)) * factor);
    }

    /** Returns the first half of the id that has this hash and this second half. */
    long high(long hash, long low) {
        return restored(hash) * inverse ^ mask(low);
    }

    private long mask(long low) {
        long first = low >>> Integer.SIZE;
        long second = low & LOWER;
        long upper = a0 + a1 * first + a2 * second;
        long lower = b0 + b1 * first + b2 * second;
        return (upper & ~LOWER) | (lower >>> Integer.SIZE);
    }

    /** Spreads the bits of a number. Different numbers stay different. */
    static long permuted(long number) {
        long mixed = (number ^ number >>> SHIFT) * FIRST_FACTOR;
        mixed = (mixed ^ mixed >>> SHIFT) * SECOND_FACTOR;
        return mixed ^ mixed >>> SHIFT;
    }

    private static final long FIRST_INVERSE = inverse(FIRST_FACTOR);
    private static final long SECOND_INVERSE = inverse(SECOND_FACTOR);

    private static long restored(long permuted) {
        long mixed = (permuted ^ permuted >>> SHIFT) * SECOND_INVERSE;
        mixed = (mixed ^ mixed >>> SHIFT) * FIRST_INVERSE;
        return mixed ^ mixed >>> SHIFT;
    }

    /** Returns the number whose product with an odd number is 1, modulo 2^64, by Newton's method: each step doubles the bits that are right, from 5 on. */
    private static long inverse(long odd) {
        long inverse = 3 * odd ^ 2;
        for (int bits = 5; bits < Long.SIZE; bits *= 2) {
            inverse *= 2 - odd * inverse;
        }
        return inverse;
    }
}
