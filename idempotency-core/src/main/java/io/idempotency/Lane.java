package io.idempotency;

import io.idempotency.store.Position;

/** The scope of order: a partition of a stream. Messages without a position share one lane. */
record Lane(String stream, int partition) {

    static Lane of(Position position) {
        return new Lane(position.stream(), position.partition());
    }

    /** Returns whether its messages come again in order, from the first unsettled one on. */
    boolean isOrdered() {
        return !stream.isEmpty();
    }

    boolean holds(Position position) {
        return partition == position.partition() && stream.equals(position.stream());
    }

    @Override
    public String toString() {
        return stream.isEmpty() ? "unknown partition" : stream + "-" + partition;
    }
}
