package io.idempotency.spring;

import io.idempotency.BatchFailedException;
import io.idempotency.store.IdempotencyException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.support.Acknowledgment;

/**
 * What a listener with manual acknowledgment gets: an acknowledgment that is remembered until the transaction has committed, and a negative one
 * that rolls it back. For one call of the listener, on its thread.
 */
final class RememberedAck implements Acknowledgment {

    private final Thread thread = Thread.currentThread();
    private final String what;
    private boolean isAcknowledged;
    private @Nullable Nack nack;

    RememberedAck(String what) {
        this.what = what;
    }

    /** Carries a negative acknowledgment out of the transaction, so that it is rolled back. */
    static final class Nack extends RuntimeException {

        private static final long serialVersionUID = 1L;

        private final int index;
        private final Duration sleep;

        Nack(int index, Duration sleep) {
            super("The listener acknowledged negatively", null, false, false);
            this.index = index;
            this.sleep = sleep;
        }

        Duration sleep() {
            return sleep;
        }
    }

    @Override
    public void acknowledge() {
        requireThread();
        isAcknowledged = true;
    }

    @Override
    public void acknowledge(int index) {
        throw new UnsupportedOperationException(
                "A part of " + what + " cannot be acknowledged: all of it commits together."
                        + " Acknowledge the whole, or use nack(index, sleep)");
    }

    @Override
    public void nack(Duration sleep) {
        nack(0, sleep);
    }

    @Override
    public void nack(int index, Duration sleep) {
        requireThread();
        nack = new Nack(index, sleep);
    }

    /**
     * Ends the call of a listener for a record or a batch.
     *
     * @throws BatchFailedException if it acknowledged negatively
     * @throws IdempotencyException if it did neither
     */
    void requireAcknowledged() throws BatchFailedException {
        if (nack != null) {
            throw new BatchFailedException(nack.index, nack);
        }
        if (!isAcknowledged) {
            throw new IdempotencyException("The listener returned without acknowledging " + what
                    + ", so its transaction is rolled back. Call acknowledge() or nack(..) before it returns");
        }
    }

    private void requireThread() {
        if (Thread.currentThread() != thread) {
            throw new IllegalStateException("The listener of " + what + " has to acknowledge on its own thread, "
                    + thread.getName() + ", for its effects commit there");
        }
    }
}
