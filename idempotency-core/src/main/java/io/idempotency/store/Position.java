package io.idempotency.store;

/**
 * The position of a message: stream (topic), partition and offset. Printed as {@code orders-3@18272}.
 *
 * @param stream the topic; empty only in {@link #UNKNOWN}
 * @param partition the partition, from 0
 * @param offset the offset, from 0
 */
public record Position(String stream, int partition, long offset) {

    /** The position of a message from a source without positions. */
    public static final Position UNKNOWN = new Position("", -1, -1);

    @Override
    public String toString() {
        return stream.isEmpty() ? "unknown position" : Printable.of(stream) + "-" + partition + "@" + offset;
    }
}
