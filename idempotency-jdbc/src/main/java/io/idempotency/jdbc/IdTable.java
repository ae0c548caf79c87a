package io.idempotency.jdbc;

import java.util.Arrays;

/**
 * Numbers 128-bit ids in the order in which they are added, and finds the last number of an id again. Grows; nothing is ever removed.
 *
 * <p>The ids stand one behind the other in pieces that are not copied when it grows: 16 bytes each. Beside them there is an open hash table
 * with linear probing, four bytes a slot: the number, and a few bits of the hash so that nearly all ids that are absent are told from others
 * without a look at those. At three quarters it is doubled. That makes 21 to 27 bytes for an id. Libraries have no set for keys of this size.
 * Measured by {@code IdTableBenchmark.adds}, with a map beside it.
 *
 * <p>An id gets into the hash table when something is looked for, or by {@link #index()}: many at once are put into a table of the right size.
 */
final class IdTable {

    /** How many ids there is room for. */
    static final int CAPACITY = (1 << 22) - 1;

    private static final int NUMBER_BITS = 22;
    private static final int NUMBER = (1 << NUMBER_BITS) - 1;
    private static final int PIECE_BITS = 10;
    private static final int PIECE = 1 << PIECE_BITS;
    private static final int FIRST_SLOTS = 64;

    private long[][] pieces = new long[4][];
    private int[] slots;
    private int size;
    private int indexed;

    IdTable() {
        slots = new int[FIRST_SLOTS];
    }

    /** Creates a table that does not grow before there are so many ids. */
    IdTable(int expected) {
        slots = new int[slotsFor(expected)];
    }

    private static int slotsFor(int ids) {
        return Math.max(FIRST_SLOTS, Integer.highestOneBit(ids * 4 / 3) * 2);
    }

    int size() {
        return size;
    }

    boolean isFull() {
        return size == CAPACITY;
    }

    /** Adds an id, or adds it again with a new number. Returns the number, from 0 on. */
    int add(long high, long low) {
        if (isFull()) {
            throw new IllegalStateException("There is no room for more than " + CAPACITY + " ids");
        }
        int number = size++;
        makeRoom(number);
        long[] piece = pieces[number >>> PIECE_BITS];
        int at = (number & PIECE - 1) * 2;
        piece[at] = high;
        piece[at + 1] = low;
        return number;
    }

    /** Puts into the hash table what was added since the last time. */
    void index() {
        if (size > slots.length / 4 * 3) {
            slots = new int[slotsFor(size)];
            indexed = 0;
        }
        for (; indexed < size; indexed++) {
            long[] piece = pieces[indexed >>> PIECE_BITS];
            int at = (indexed & PIECE - 1) * 2;
            long hash = hash(piece[at], piece[at + 1]);
            slots[slotOf(hash, piece[at], piece[at + 1])] = indexed + 1 | tag(hash);
        }
    }

    /** The first piece grows, for most tables are small. */
    private void makeRoom(int number) {
        int piece = number >>> PIECE_BITS;
        if (piece == pieces.length) {
            pieces = Arrays.copyOf(pieces, pieces.length * 2);
        }
        if (number == 0) {
            pieces[0] = new long[FIRST_SLOTS];
        } else if (piece == 0 && number * 2 == pieces[0].length) {
            pieces[0] = Arrays.copyOf(pieces[0], number * 4);
        } else if ((number & PIECE - 1) == 0) {
            pieces[piece] = new long[PIECE * 2];
        }
    }

    /** Returns the last number of the id, or -1. */
    int find(long high, long low) {
        if (indexed < size) {
            index();
        }
        long hash = hash(high, low);
        return (slots[slotOf(hash, high, low)] & NUMBER) - 1;
    }

    /** Returns about how many bytes this takes. */
    long bytes() {
        long ids = size < PIECE ? Integer.highestOneBit(Math.max(size, FIRST_SLOTS / 2)) * 2L : size + PIECE;
        return ids * 16 + slots.length * 4L + pieces.length * 8L;
    }

    /** Returns the slot of the id, or the free one that it belongs to. */
    private int slotOf(long hash, long high, long low) {
        int mask = slots.length - 1;
        int tag = tag(hash);
        int slot = (int) (hash >>> 32) & mask;
        while (slots[slot] != 0 && ((slots[slot] & ~NUMBER) != tag || !isAt((slots[slot] & NUMBER) - 1, high, low))) {
            slot = slot + 1 & mask;
        }
        return slot;
    }

    private boolean isAt(int number, long high, long low) {
        long[] piece = pieces[number >>> PIECE_BITS];
        int at = (number & PIECE - 1) * 2;
        return piece[at] == high && piece[at + 1] == low;
    }

    private static int tag(long hash) {
        return (int) hash << NUMBER_BITS;
    }

    /** Mixes both halves, for time-ordered ids differ in few bits (the finalizer of MurmurHash3, public domain). */
    private static long hash(long high, long low) {
        long mixed = high * 0x9E3779B97F4A7C15L ^ low;
        mixed = (mixed ^ mixed >>> 33) * 0xFF51AFD7ED558CCDL;
        mixed = (mixed ^ mixed >>> 33) * 0xC4CEB9FE1A85EC53L;
        return mixed ^ mixed >>> 33;
    }
}
