package io.idempotency.spring;

import io.idempotency.BatchFailedException;
import io.idempotency.store.IdempotencyException;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.support.Acknowledgment;

/**
 * The acknowledgment of a listener with a manual ack mode. It takes effect when the transaction has committed; a negative one rolls the transaction
 * back. Serves one call of the listener, on the thread of that call.
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
     * @param what the records of the call, in words
     * @param size the number of these records
     * @param isAwaited whether the listener returns a future: then its result acknowledges, as in spring-kafka
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
                    + " returns a future, so it cannot acknowledge negatively: let the result fail");
        }
        requireThread();
        requireIndex(index);
        acknowledged = index;
        nack = new Nack(sleep);
    }

    /**
     * Ends the call of a listener.
     *
     * @param given the records of the call, without filtered ones
     * @throws BatchFailedException at the first record that it did not acknowledge; the cause is a {@link Nack} if it nacked the record
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
                    + thread.getName() + ", because its effects commit there");
        }
    }
}
