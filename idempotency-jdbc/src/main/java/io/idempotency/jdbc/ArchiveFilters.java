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

    /** Answers which hashes it may have. They are sought in ascending order. */
    void ask(SoughtKeys sought) {
        int[] begins = new int[filters.length + 1];
        begins[filters.length] = sought.size();
        for (int filter = 0, begin = 0; filter < filters.length; filter++) {
            while (begin < sought.size() && sought.key(begin) < firstHashes[filter]) {
                begin++;
            }
            begins[filter] = begin;
        }
        sought.deny(begins[0]);
        for (int filter = 0; filter < filters.length; filter++) {
            filters[filter].filter().locate(sought, begins[filter], begins[filter + 1]);
        }
        for (int filter = 0; filter < filters.length; filter++) {
            filters[filter].filter().compare(sought, begins[filter], begins[filter + 1]);
        }
    }

    /** Returns the first hash of the page in which a message with this hash would be. It is not below the first page. */
    long pageOf(long hashed) {
        int found = Arrays.binarySearch(firstHashes, hashed);
        return filters[found >= 0 ? found : -found - 2].pageOf(hashed);
    }

    /** Returns about how many bytes of memory it takes. */
    long bytes() {
        return BYTES_OF_A_HEADER
                + Arrays.stream(filters).mapToLong(ArchiveFilter::bytes).sum();
    }
}
