package io.idempotency.jdbc;

import java.security.SecureRandom;
import java.util.Arrays;

/**
 * Numbers 128-bit ids in the order in which they are added, and finds the last number of an id again. Grows; nothing is ever removed.
 *
 * <p>The ids are stored in sequence, 16 bytes each, in pieces that are not copied when the table grows. Beside them is an open hash table with linear
 * probing. A slot has four bytes: the number, and a few bits of the hash. These bits reveal nearly all absent ids without a look at the stored ones. The
 * hash table doubles when it is three quarters full. So an id takes 21 to 27 bytes. Libraries have no set for keys of this size.
 * {@code IdTableBenchmark.adds} measures it, with a map beside it.
 *
 * <p>An id enters the hash table at the next search, or by {@link #index()}: many at once enter a table of the right size.
 */
final class IdTable {

    /** The most ids that it holds. */
    static final int CAPACITY = (1 << 22) - 1;

    private static final int NUMBER_BITS = 22;
    private static final int NUMBER = (1 << NUMBER_BITS) - 1;
    private static final int PIECE_BITS = 10;
    private static final int PIECE = 1 << PIECE_BITS;
    private static final int FIRST_SLOTS = 64;
    private static final int REGION_BITS = 7;
    private static final long LOWER = 0xFFFF_FFFFL;

    private static final SecureRandom DRAWN = new SecureRandom();
    private static final long A0 = DRAWN.nextLong();
    private static final long A1 = DRAWN.nextLong();
    private static final long A2 = DRAWN.nextLong();
    private static final long A3 = DRAWN.nextLong();
    private static final long A4 = DRAWN.nextLong();
    private static final long B0 = DRAWN.nextLong();
    private static final long B1 = DRAWN.nextLong();
    private static final long B2 = DRAWN.nextLong();
    private static final long B3 = DRAWN.nextLong();
    private static final long B4 = DRAWN.nextLong();

    private long[][] pieces = new long[4][];
    private int[] slots;
    private int size;
    private int indexed;

    IdTable() {
        slots = new int[FIRST_SLOTS];
        pieces[0] = new long[FIRST_SLOTS];
    }

    /** Creates a table that does not grow before it has so many ids. */
    IdTable(int expected) {
        slots = new int[slotsFor(expected)];
        pieces[0] = new long[Math.min(PIECE, Math.max(1, expected)) * 2];
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

    /** Adds an id, or adds it again with a new number. Returns the number, starting at 0. */
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

    /** Returns two numbers for each of the ids from the one given on. */
    long[] copy(int from, int count) {
        long[] copy = new long[count * 2];
        for (int i = 0; i < count; i++) {
            long[] piece = pieces[(from + i) >>> PIECE_BITS];
            System.arraycopy(piece, ((from + i) & (PIECE - 1)) * 2, copy, i * 2, 2);
        }
        return copy;
    }

    /** Puts the ids that were added since the last call into the hash table. */
    void index() {
        if (size > slots.length / 4 * 3) {
            slots = new int[slotsFor(size)];
            indexed = 0;
        }
        if (size - indexed > slots.length / 8) {
            indexByRegions();
        } else if (indexed < size) {
            indexInTurn();
        }
    }

    /** Puts a few ids into the hash table. It first reads their slots without a branch, as {@link #find(Ids)} does. */
    private void indexInTurn() {
        int count = size - indexed;
        long[] hashes = new long[count];
        int[] before = new int[count];
        for (int i = 0; i < count; i++) {
            hashes[i] = hashOf(indexed + i);
            before[i] = slots[slot(hashes[i])];
        }
        for (int i = 0; i < count; i++) {
            int slot = slot(hashes[i]);
            int entry = indexed + i + 1 | tag(hashes[i]);
            if (before[i] == 0 && slots[slot] == 0) {
                slots[slot] = entry;
            } else {
                put(slot, entry);
            }
        }
        indexed = size;
    }

    /**
     * Puts many ids into the hash table, region by region. Each region fits into the processor's cache. This is a radix sort in one pass. The
     * contestant {@code journal-warm-up} measures it.
     */
    private void indexByRegions() {
        int shift = Math.max(0, Integer.numberOfTrailingZeros(slots.length) - REGION_BITS);
        int count = size - indexed;
        int[] begins = new int[(1 << REGION_BITS) + 1];
        for (int i = 0; i < count; i++) {
            begins[(slot(hashOf(indexed + i)) >>> shift) + 1]++;
        }
        for (int region = 1; region < begins.length; region++) {
            begins[region] += begins[region - 1];
        }
        int[] sortedSlots = new int[count];
        int[] sortedEntries = new int[count];
        for (int i = 0; i < count; i++) {
            long hash = hashOf(indexed + i);
            int at = begins[slot(hash) >>> shift]++;
            sortedSlots[at] = slot(hash);
            sortedEntries[at] = indexed + i + 1 | tag(hash);
        }
        for (int i = 0; i < count; i++) {
            put(sortedSlots[i], sortedEntries[i]);
        }
        indexed = size;
    }

    /** Puts an entry where its id is, or into the first free slot. */
    private void put(int first, int entry) {
        int mask = slots.length - 1;
        int slot = first;
        while (slots[slot] != 0 && !isSame(slots[slot], entry)) {
            slot = slot + 1 & mask;
        }
        slots[slot] = entry;
    }

    private boolean isSame(int entry, int other) {
        if (((entry ^ other) & ~NUMBER) != 0) {
            return false;
        }
        int number = (other & NUMBER) - 1;
        int at = (number & PIECE - 1) * 2;
        long[] piece = pieces[number >>> PIECE_BITS];
        return isAt((entry & NUMBER) - 1, piece[at], piece[at + 1]);
    }

    private long hashOf(int number) {
        long[] piece = pieces[number >>> PIECE_BITS];
        int at = (number & PIECE - 1) * 2;
        return hash(piece[at], piece[at + 1]);
    }

    private int slot(long hash) {
        return (int) (hash >>> Integer.SIZE) & slots.length - 1;
    }

    /** Makes room for one more id. The first piece grows, because most tables are small. */
    private void makeRoom(int number) {
        int piece = number >>> PIECE_BITS;
        if (piece == pieces.length) {
            pieces = Arrays.copyOf(pieces, pieces.length * 2);
        }
        if (piece == 0) {
            if (number * 2 == pieces[0].length) {
                pieces[0] = Arrays.copyOf(pieces[0], Math.min(PIECE * 2, number * 4));
            }
        } else if ((number & PIECE - 1) == 0) {
            pieces[piece] = new long[PIECE * 2];
        }
    }

    /** Returns the last number of the id, or -1. */
    int find(long high, long low) {
        indexIfNeeded();
        return numberIn(slotOf(hash(high, low), high, low));
    }

    /**
     * Returns the last number of each id, or -1. It first reads one slot for each without a branch, so that the processor waits for many memory
     * reads at a time. {@code PartBenchmark.decidesOnNewPoll} measures it.
     */
    int[] find(Ids ids) {
        indexIfNeeded();
        int[] found = new int[ids.size()];
        for (int i = 0; i < found.length; i++) {
            found[i] = slots[slot(ids.hash(i))];
        }
        for (int i = 0; i < found.length; i++) {
            found[i] = found[i] == 0 ? -1 : numberIn(slotOf(ids.hash(i), ids.high(i), ids.low(i)));
        }
        return found;
    }

    /** Adds one of the ids unless it is there. Returns its number if it was, or -1. */
    int addIfAbsent(Ids ids, int index) {
        indexIfNeeded();
        long hash = ids.hash(index);
        int slot = slotOf(hash, ids.high(index), ids.low(index));
        if (slots[slot] != 0) {
            return numberIn(slot);
        }
        int number = add(ids.high(index), ids.low(index));
        if (size <= slots.length / 4 * 3) {
            slots[slot] = number + 1 | tag(hash);
            indexed = size;
        }
        return -1;
    }

    private void indexIfNeeded() {
        if (indexed < size) {
            index();
        }
    }

    /** Returns the slot of an id in the hash table, or the free slot where it belongs. */
    private int slotOf(long hash, long high, long low) {
        int mask = slots.length - 1;
        int tag = tag(hash);
        int slot = slot(hash);
        while (slots[slot] != 0 && ((slots[slot] & ~NUMBER) != tag || !isAt(numberIn(slot), high, low))) {
            slot = slot + 1 & mask;
        }
        return slot;
    }

    /** Returns the number in a slot; -1 if it is free. */
    private int numberIn(int slot) {
        return (slots[slot] & NUMBER) - 1;
    }

    /** Returns about how many bytes the table takes. */
    long bytes() {
        long ids = size < PIECE ? Integer.highestOneBit(Math.max(size, FIRST_SLOTS / 2)) * 2L : size + PIECE;
        return ids * 16 + slots.length * 4L + pieces.length * 8L;
    }

    private boolean isAt(int number, long high, long low) {
        long[] piece = pieces[number >>> PIECE_BITS];
        int at = (number & PIECE - 1) * 2;
        return piece[at] == high && piece[at + 1] == low;
    }

    private static int tag(long hash) {
        return (int) hash << NUMBER_BITS;
    }

    /**
     * Hashes an id with multipliers that each process draws for itself. Senders choose ids. A sender who knew the function could send ids that all
     * fall into one slot, and each would be compared with all others. The hash takes the upper halves of two sums of products with random multipliers, so any two
     * ids collide no more often than by chance (multilinear hashing: M. Thorup, "High Speed Hashing for Integers and Strings", 2015). A permutation (the
     * finalizer of MurmurHash3, public domain) spreads neighbouring values, which would form clusters under linear probing.
     */
    static long hash(long high, long low) {
        long first = high >>> Integer.SIZE;
        long second = high & LOWER;
        long third = low >>> Integer.SIZE;
        long fourth = low & LOWER;
        long upper = A0 + A1 * first + A2 * second + A3 * third + A4 * fourth;
        long lower = B0 + B1 * first + B2 * second + B3 * third + B4 * fourth;
        return ArchiveHash.permuted((upper & ~LOWER) | (lower >>> Integer.SIZE));
    }
}
