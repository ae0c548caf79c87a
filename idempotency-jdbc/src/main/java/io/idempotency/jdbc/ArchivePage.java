package io.idempotency.jdbc;

import io.idempotency.jdbc.JournalSegment.Kind;
import java.nio.ByteBuffer;

/**
 * A row with messages of an archive, in the order of their hashes and then of the second half of their ids. Equal hashes are in one page, so one page decides
 * whether an archive has an id. Each column has one width for all messages, which follows from its length.
 *
 * @param firstHash the least hash
 * @param ids for each message the hash, minus the first one, and the second half of the id: 8 bytes and what the greatest difference needs
 * @param offsets minus the least offset of the archive
 * @param times two bytes each, see {@link ArchiveHead.Span#at}
 * @param kinds one byte each; empty if all messages were processed
 */
@SuppressWarnings("ArrayRecordComponent") // nobody compares pages
record ArchivePage(long firstHash, byte[] ids, byte[] offsets, byte[] times, byte[] kinds) {

    static final int TIME_BYTES = Short.BYTES;

    /** Returns how many messages it has. */
    int size() {
        return times.length / TIME_BYTES;
    }

    /** Returns the index of an id; -1 if it is not there. */
    int find(long hash, long low) {
        int index = firstAtLeast(hash);
        int size = size();
        while (index < size && hash(index) == hash) {
            if (low(index) == low) {
                return index;
            }
            index++;
        }
        return -1;
    }

    private int firstAtLeast(long hash) {
        int from = 0;
        int to = size();
        while (from < to) {
            int middle = (from + to) >>> 1;
            if (hash(middle) < hash) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        return from;
    }

    long hash(int index) {
        int width = ids.length / size();
        return firstHash + number(ids, index * width, width - Long.BYTES);
    }

    /** Returns the second half of an id; {@link ArchiveHash#high} computes the first one. */
    long low(int index) {
        int width = ids.length / size();
        return number(ids, (index + 1) * width - Long.BYTES, Long.BYTES);
    }

    /** Returns an offset, minus the least one of the archive. */
    long offset(int index) {
        int width = offsets.length / size();
        return number(offsets, index * width, width);
    }

    /** Returns a time, as a part of the span of the archive. */
    int time(int index) {
        return (int) number(times, index * TIME_BYTES, TIME_BYTES);
    }

    Kind kind(int index) {
        return kinds.length == 0 ? Kind.PROCESSED : Kind.of(kinds[index]);
    }

    boolean hasQuarantined() {
        for (byte kind : kinds) {
            if (kind == Kind.QUARANTINED.number()) {
                return true;
            }
        }
        return false;
    }

    /** Returns the bytes of all columns but the key. */
    int bytes() {
        return ids.length + offsets.length + times.length + kinds.length;
    }

    private static long number(byte[] bytes, int from, int width) {
        long number = 0;
        for (int i = from; i < from + width; i++) {
            number = (number << Byte.SIZE) | (bytes[i] & 0xFF);
        }
        return number;
    }

    /** Writes the lowest bytes of a number, the highest of them first. */
    static void put(ByteBuffer bytes, long number, int width) {
        for (int shift = (width - 1) * Byte.SIZE; shift >= 0; shift -= Byte.SIZE) {
            bytes.put((byte) (number >>> shift));
        }
    }

    /** Returns how many bytes an unsigned number takes. */
    static int bytes(long number) {
        return (Long.SIZE - Long.numberOfLeadingZeros(number) + Byte.SIZE - 1) / Byte.SIZE;
    }
}
