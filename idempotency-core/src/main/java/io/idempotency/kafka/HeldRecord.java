package io.idempotency.kafka;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/** A record whose acquisition lock a member holds, and what is known of it. Confined to the polling thread. */
final class HeldRecord {

    /** Where a record is: the same in each delivery. */
    record Place(TopicPartition partition, long offset) {

        static Place of(ConsumerRecord<?, ?> record) {
            return new Place(KafkaRecords.partition(record), record.offset());
        }
    }

    private ConsumerRecord<byte[], byte[]> raw;
    private boolean isRunning;
    private boolean isSettled;
    private boolean hasWaited;
    private boolean isAtHand = true;
    private long dueNanos;
    private long lockedNanos;

    HeldRecord(ConsumerRecord<byte[], byte[]> raw, long nanos) {
        this.raw = raw;
        this.dueNanos = nanos;
        this.lockedNanos = nanos;
    }

    ConsumerRecord<byte[], byte[]> raw() {
        return raw;
    }

    Place place() {
        return Place.of(raw);
    }

    int deliveries() {
        return raw.deliveryCount().orElse((short) 1);
    }

    boolean isRunning() {
        return isRunning;
    }

    void start() {
        isRunning = true;
    }

    /** Returns whether its transaction has committed, so that it may be accepted. */
    boolean isSettled() {
        return isSettled;
    }

    void settle() {
        isRunning = false;
        isSettled = true;
    }

    /** Notes that its attempt ended without a result, and when the next one is due. */
    void waitUntil(long nanos) {
        hasWaited = true;
        isRunning = false;
        dueNanos = nanos;
    }

    /** Returns whether an attempt has ended without a result. */
    boolean hasWaited() {
        return hasWaited;
    }

    long dueNanos() {
        return dueNanos;
    }

    boolean isWaiting() {
        return !isRunning && !isSettled;
    }

    /** Returns whether the client takes an acknowledgment of it: not between a renewal and the poll that returns it. */
    boolean isAtHand() {
        return isAtHand;
    }

    void renewing() {
        isAtHand = false;
    }

    /** Takes the record as it came again: renewed, or delivered once more. */
    void renewed(ConsumerRecord<byte[], byte[]> again, long nanos) {
        raw = again;
        isAtHand = true;
        lockedNanos = nanos;
    }

    /** Returns since when it is locked for certain. */
    long lockedNanos() {
        return lockedNanos;
    }
}
