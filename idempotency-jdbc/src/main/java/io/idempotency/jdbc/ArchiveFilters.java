package io.idempotency.jdbc;

import java.util.Arrays;

/** What a process has in memory of an archive: its header, and its filters with the first hashes of its pages. Immutable. */
final class ArchiveFilters {

    private static final int BYTES_OF_A_HEADER = 200;

    private final ArchiveHead head;
    private final ArchiveHash hash;
    private final ArchiveFilter[] filters;
    private final long[] firstHashes;

    /**
     * Puts an archive together.
     *
     * @param hash by the seed of the archive
     * @param filters all of them, in the order of their hashes
     */
    ArchiveFilters(ArchiveHead head, ArchiveHash hash, ArchiveFilter[] filters) {
        this.head = head;
        this.hash = hash;
        this.filters = filters.clone();
        this.firstHashes =
                Arrays.stream(filters).mapToLong(ArchiveFilter::firstHash).toArray();
    }

    ArchiveHead head() {
        return head;
    }

    ArchiveHash hash() {
        return hash;
    }

    long lastVersion() {
        return head.span().lastVersion();
    }

    /** Returns the filter that decides about a hash, or -1 if the archive has no message with the hash. */
    int filterOf(long hashed) {
        int found = Arrays.binarySearch(firstHashes, hashed);
        int filter = found >= 0 ? found : -found - 2;
        return filter >= 0 && filters[filter].mayContain(hashed) ? filter : -1;
    }

    /** Returns the first hash of the page in which a message with this hash would be. */
    long pageOf(int filter, long hashed) {
        return filters[filter].pageOf(hashed);
    }

    /** Returns about how many bytes of memory it takes. */
    long bytes() {
        return BYTES_OF_A_HEADER
                + Arrays.stream(filters).mapToLong(ArchiveFilter::bytes).sum();
    }
}
