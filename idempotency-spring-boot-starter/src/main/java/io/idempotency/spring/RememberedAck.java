package io.idempotency.spring;

import io.idempotency.BatchFailedException;
import io.idempotency.store.IdempotencyException;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.support.Acknowledgment;

/**
 * What a listener with manual acknowledgment gets: an acknowledgment that is remembered until the transaction has committed, and a negative one
 * that rolls it back. For one call of the listener, on its thread.
 */
final class RememberedAck implements Acknowledgment {

    private final Thread thread = Thread.currentThread();
    private final String what;
    private final int size;
    private final boolean isAwaited;
    private int acknowledged;
    private @Nullable Nack nack;

    /**
     * Creates the acknowledgment of one call.
     *
     * @param what what the listener is called for
     * @param size how many records that is
     * @param isAwaited whether its result comes later: then that is its acknowledgment, as in spring-kafka
     */
    private RememberedAck(String what, int size, boolean isAwaited) {
        this.what = what;
        this.size = size;
        this.isAwaited = isAwaited;
        this.acknowledged = isAwaited ? size : 0;
    }

    static RememberedAck of(ConsumerRecord<?, ?> record, boolean isAwaited) {
        return new RememberedAck(WaitingException.partition(record) + "@" + record.offset(), 1, isAwaited);
    }

    static RememberedAck of(List<?> batch, boolean isAwaited) {
        return new RememberedAck("a batch of " + batch.size() + " records", batch.size(), isAwaited);
    }

    /** Carries a negative acknowledgment out of the transaction, so that it is rolled back. */
    static final class Nack extends RuntimeException {

        private static final long serialVersionUID = 1L;

        private final Duration sleep;

        Nack(Duration sleep) {
            super("The listener acknowledged negatively", null, false, false);
            this.sleep = sleep;
        }

        Duration sleep() {
            return sleep;
        }
    }

    @Override
    public void acknowledge() {
        if (isAwaited) {
            return;
        }
        requireThread();
        acknowledged = size;
    }

    @Override
    public void acknowledge(int index) {
        if (isAwaited) {
            return;
        }
        requireThread();
        requireIndex(index);
        acknowledged = index + 1;
    }

    @Override
    public void nack(Duration sleep) {
        nack(0, sleep);
    }

    @Override
    public void nack(int index, Duration sleep) {
        if (isAwaited) {
            throw new IllegalStateException("The listener of " + what
                    + " has a result that comes later, and cannot acknowledge negatively: let the result fail");
        }
        requireThread();
        requireIndex(index);
        acknowledged = index;
        nack = new Nack(sleep);
    }

    /**
     * Ends the call of a listener.
     *
     * @param given what it was called for, less what a filter took out
     * @throws BatchFailedException at the first record that it did not acknowledge, with a {@link Nack} as its cause if it did so
     *     negatively
     */
    void requireAcknowledged(List<?> given) throws BatchFailedException {
        if (nack != null) {
            throw new BatchFailedException(acknowledged, nack);
        }
        if (acknowledged < given.size()) {
            throw new BatchFailedException(
                    acknowledged,
                    new IdempotencyException("The listener returned without acknowledging " + what
                            + ", so its transaction is rolled back. Call acknowledge() or nack(..) before it returns"));
        }
    }

    private void requireIndex(int index) {
        if (index < 0 || index >= size) {
            throw new IllegalArgumentException("There is no index " + index + " in " + what);
        }
    }

    private void requireThread() {
        if (Thread.currentThread() != thread) {
            throw new IllegalStateException("The listener of " + what + " has to acknowledge on its own thread, "
                    + thread.getName() + ", for its effects commit there");
        }
    }
}
