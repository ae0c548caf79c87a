package io.idempotency;

import io.idempotency.store.Position;

/**
 * The scope of order: a partition of a stream. Messages without a position share one lane. A message of a share group has a lane of its own, because it comes
 * beside others of its partition, in any order.
 *
 * @param offset the offset of the only message; {@link #WHOLE} for a partition
 */
record Lane(String stream, int partition, long offset) {

    private static final long WHOLE = -1;

    Lane(String stream, int partition) {
        this(stream, partition, WHOLE);
    }

    static Lane of(Position position) {
        return new Lane(position.stream(), position.partition());
    }

    /** Returns the lane of a message that comes in no order with others. */
    static Lane alone(Position position) {
        return new Lane(position.stream(), position.partition(), position.offset());
    }

    /** Returns whether its messages come again in order, from the first unsettled one on. */
    boolean isOrdered() {
        return !stream.isEmpty();
    }

    /** Returns whether it has one message only. */
    boolean isAlone() {
        return offset != WHOLE;
    }

    /** Returns the lane of the partition. */
    Lane whole() {
        return isAlone() ? new Lane(stream, partition) : this;
    }

    boolean holds(Position position) {
        return !isAlone() && partition == position.partition() && stream.equals(position.stream());
    }

    @Override
    public String toString() {
        return stream.isEmpty() ? "unknown partition" : stream + "-" + partition + (isAlone() ? "@" + offset : "");
    }
}
