package io.idempotency.store;

import java.time.Instant;

/**
 * The settled messages of a consumer in a range of positions or of time.
 *
 * @param consumer the name of the consumer
 * @param stream the topic; empty for all
 * @param partition the partition; -1 for all
 * @param firstOffset the first offset
 * @param lastOffset the last offset, included
 * @param from messages settled at or after this moment
 * @param to messages settled before this moment
 */
public record MessageRange(
        String consumer, String stream, int partition, long firstOffset, long lastOffset, Instant from, Instant to) {

    /**
     * Checks the range.
     *
     * @throws IdempotencyException if it is empty, or begins below zero
     */
    public MessageRange {
        MessageId.requireConsumer(consumer);
        if (firstOffset < 0 || firstOffset > lastOffset) {
            throw new IdempotencyException("There is no offset from " + firstOffset + " to " + lastOffset);
        }
        if (!from.isBefore(to)) {
            throw new IdempotencyException("There is no time from " + from + " to before " + to);
        }
    }

    /**
     * Returns the range of messages that were settled at these positions.
     *
     * @param last the last offset, included
     */
    public static MessageRange ofOffsets(String consumer, String stream, int partition, long first, long last) {
        if (stream.isEmpty() || partition < 0) {
            throw new IdempotencyException(
                    "A range of offsets needs a topic and a partition, not \"" + stream + "\" and " + partition);
        }
        return new MessageRange(consumer, stream, partition, first, last, Instant.MIN, Instant.MAX);
    }

    /** Returns the range of messages of all partitions that were settled from one moment on, and before the other one. */
    public static MessageRange ofTime(String consumer, Instant from, Instant to) {
        return new MessageRange(consumer, "", -1, 0, Long.MAX_VALUE, from, to);
    }

    /** Returns whether the range is of positions. */
    public boolean isOfOffsets() {
        return !stream.isEmpty();
    }

    /** Returns the range in words, for logs and the audit. */
    @Override
    public String toString() {
        return isOfOffsets()
                ? "offsets " + firstOffset + " to " + lastOffset + " of " + Printable.of(stream) + "-" + partition
                : "messages settled from " + from + " to before " + to;
    }
}
