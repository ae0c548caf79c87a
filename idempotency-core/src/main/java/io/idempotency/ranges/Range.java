package io.idempotency.ranges;

import io.idempotency.store.Sha256;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;

/**
 * Records of one partition that are written together. Whoever writes it, and however often, writes the same records with the same token. Immutable and
 * thread-safe.
 */
public final class Range {

    private final String consumer;
    private final String stream;
    private final int partition;
    private final String token;
    private final long[] offsets;
    private final byte[] digest;

    /**
     * Creates a range.
     *
     * @param offsets of its records, ascending, at least one. Records between them belong to other ranges, or are duplicates
     * @param digest of the ids of its messages, see {@link #digest(List)}
     */
    public Range(String consumer, String stream, int partition, String token, long[] offsets, byte[] digest) {
        this.consumer = consumer;
        this.stream = stream;
        this.partition = partition;
        this.token = token;
        this.offsets = offsets.clone();
        this.digest = digest.clone();
    }

    /** Returns the digest of message ids in the order of their records. */
    public static byte[] digest(List<String> ids) {
        MessageDigest digest = Sha256.digest();
        for (String id : ids) {
            byte[] bytes = id.getBytes(StandardCharsets.UTF_8);
            digest.update((bytes.length + ":").getBytes(StandardCharsets.UTF_8));
            digest.update(bytes);
        }
        return digest.digest();
    }

    /** Returns the name of the processing step. */
    public String consumer() {
        return consumer;
    }

    /** Returns the topic. */
    public String stream() {
        return stream;
    }

    /** Returns the partition. */
    public int partition() {
        return partition;
    }

    /**
     * Returns the token: a UUID, the same at each attempt, and that of no other range. Give it to the sink, as a token of deduplication or as a part of a name.
     */
    public String token() {
        return token;
    }

    /** Returns the offset of the first record. */
    public long firstOffset() {
        return offsets[0];
    }

    /** Returns the offset of the last record. */
    public long lastOffset() {
        return offsets[offsets.length - 1];
    }

    /** Returns the number of records. */
    public int size() {
        return offsets.length;
    }

    /** Returns the offsets of the records, ascending. */
    public long[] offsets() {
        return offsets.clone();
    }

    /** Returns whether the record at this offset belongs to the range. */
    public boolean contains(long offset) {
        return Arrays.binarySearch(offsets, offset) >= 0;
    }

    /** Returns the digest of the ids of its messages. */
    public byte[] digest() {
        return digest.clone();
    }

    /** Names partition, offsets and token. */
    @Override
    public String toString() {
        return stream + "-" + partition + "@" + firstOffset() + ".." + lastOffset() + " with " + size()
                + " records and token " + token;
    }
}
