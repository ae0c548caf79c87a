package io.idempotency.jdbc;

import io.idempotency.jdbc.JournalSegment.Kind;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * Fills pages with the messages of an archive, which come in the order of their hashes and then of the second half of their ids. A page takes as many as a row
 * may have bytes: one of PostgreSQL's pages then holds one, in line, and one of InnoDB's two. Not thread-safe.
 */
final class ArchivePaging {

    /** The bytes of the columns. Rows of InnoDB with 16 KB pages have up to 8126 bytes, those of PostgreSQL 8160, with everything around the columns. */
    private static final int PAGE_BYTES = 7950;

    private static final int MOST = PAGE_BYTES / (Long.BYTES + ArchivePage.TIME_BYTES);

    private final int offsetBytes;
    private final Consumer<ArchivePage> pages;
    private long[] hashes = new long[MOST];
    private long[] lows = new long[MOST];
    private long[] offsets = new long[MOST];
    private int[] times = new int[MOST];
    private Kind[] kinds = new Kind[MOST];
    private int size;
    private boolean isWithKinds;

    /**
     * Begins an archive.
     *
     * @param offsetBytes how many bytes an offset takes
     */
    ArchivePaging(int offsetBytes, Consumer<ArchivePage> pages) {
        this.offsetBytes = offsetBytes;
        this.pages = pages;
    }

    /**
     * Adds a message.
     *
     * @param offset minus the least one of the archive
     * @param time as a part of the span of the archive
     */
    void add(long hash, long low, long offset, int time, Kind kind) {
        boolean isMarked = isWithKinds || kind != Kind.PROCESSED;
        if (size > 0 && hash != hashes[size - 1] && (size + 1) * width(hash, isMarked) > PAGE_BYTES) {
            end();
        }
        if (size == hashes.length) {
            makeRoom();
        }
        hashes[size] = hash;
        lows[size] = low;
        offsets[size] = offset;
        times[size] = time;
        kinds[size++] = kind;
        isWithKinds |= kind != Kind.PROCESSED;
    }

    private int width(long lastHash, boolean isMarked) {
        return ArchivePage.bytes(lastHash - hashes[0])
                + Long.BYTES
                + offsetBytes
                + ArchivePage.TIME_BYTES
                + (isMarked ? 1 : 0);
    }

    /** Only for very many equal hashes. */
    private void makeRoom() {
        hashes = Arrays.copyOf(hashes, size * 2);
        lows = Arrays.copyOf(lows, size * 2);
        offsets = Arrays.copyOf(offsets, size * 2);
        times = Arrays.copyOf(times, size * 2);
        kinds = Arrays.copyOf(kinds, size * 2);
    }

    /** Ends the last page. */
    void end() {
        if (size == 0) {
            return;
        }
        int hashBytes = ArchivePage.bytes(hashes[size - 1] - hashes[0]);
        ByteBuffer ids = ByteBuffer.allocate(size * (hashBytes + Long.BYTES));
        ByteBuffer packedOffsets = ByteBuffer.allocate(size * offsetBytes);
        ByteBuffer packedTimes = ByteBuffer.allocate(size * ArchivePage.TIME_BYTES);
        byte[] packedKinds = new byte[isWithKinds ? size : 0];
        for (int i = 0; i < size; i++) {
            ArchivePage.put(ids, hashes[i] - hashes[0], hashBytes);
            ArchivePage.put(ids, lows[i], Long.BYTES);
            ArchivePage.put(packedOffsets, offsets[i], offsetBytes);
            ArchivePage.put(packedTimes, times[i], ArchivePage.TIME_BYTES);
            if (isWithKinds) {
                packedKinds[i] = (byte) kinds[i].number();
            }
        }
        ArchivePage page =
                new ArchivePage(hashes[0], ids.array(), packedOffsets.array(), packedTimes.array(), packedKinds);
        size = 0;
        isWithKinds = false;
        pages.accept(page);
    }
}
