package io.idempotency.jdbc;

import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;

/**
 * The filter of some pages of an archive that follow each other, as stored in a row. An archive has one for each 400,000 messages or fewer, in the order of their
 * hashes. Immutable.
 *
 * @param pageHashes the first hash of each page
 * @param quarantined a bit for each page: whether a message in it was quarantined
 */
@SuppressWarnings("ArrayRecordComponent") // nobody compares filters
record ArchiveFilter(long[] pageHashes, byte[] quarantined, BinaryFuseFilter filter) {

    /** The most messages of one filter, unless they have equal hashes: H2 has no longer rows than a megabyte. */
    static final int MOST_MESSAGES = 400_000;

    /** Returns the first hash of the first page, which is the key of the row. */
    long firstHash() {
        return pageHashes[0];
    }

    /** Returns the first hash of the page in which a message with this hash would be. */
    long pageOf(long hash) {
        int found = Arrays.binarySearch(pageHashes, hash);
        return pageHashes[found >= 0 ? found : -found - 2];
    }

    /** Returns the first hashes of the pages with quarantined messages. */
    long[] quarantinedPages() {
        long[] pages = new long[pageHashes.length];
        int size = 0;
        for (int i = 0; i < pages.length; i++) {
            if ((quarantined[i / Byte.SIZE] & 1 << i % Byte.SIZE) != 0) {
                pages[size++] = pageHashes[i];
            }
        }
        return Arrays.copyOf(pages, size);
    }

    /** Returns how many bytes of memory it takes. */
    long bytes() {
        return filter.bytes() + pageHashes.length * (long) Long.BYTES + quarantined.length;
    }

    byte[] packedHashes() {
        ByteBuffer bytes = ByteBuffer.allocate(pageHashes.length * Long.BYTES);
        bytes.asLongBuffer().put(pageHashes);
        return bytes.array();
    }

    static ArchiveFilter unpacked(byte[] hashes, byte[] quarantined, byte[] filter) {
        LongBuffer numbers = ByteBuffer.wrap(hashes).asLongBuffer();
        long[] pageHashes = new long[numbers.remaining()];
        numbers.get(pageHashes);
        return new ArchiveFilter(pageHashes, quarantined, BinaryFuseFilter.unpacked(filter));
    }
}
