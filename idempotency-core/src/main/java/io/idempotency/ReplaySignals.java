package io.idempotency;

import io.idempotency.store.Transactions;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Wakes and closes a replayer, and lets it pause. Thread-safe. */
final class ReplaySignals {

    private static final Logger log = LoggerFactory.getLogger(Replayer.class);

    private final Semaphore signals = new Semaphore(0);
    private volatile boolean isClosing;

    void wake() {
        signals.release();
    }

    void close() {
        isClosing = true;
        signals.release();
    }

    boolean isClosing() {
        return isClosing;
    }

    /** Waits this long, or until there is a signal. */
    void pause(Duration length) {
        try {
            if (!length.isZero() && signals.tryAcquire(Math.max(1, length.toMillis()), TimeUnit.MILLISECONDS)) {
                signals.drainPermits();
            }
        } catch (InterruptedException e) {
            // Nobody ends a replayer in this way; a handler may have interrupted itself.
            log.debug("Interrupted while no message is replayed.", e);
        }
    }

    /** Runs the work again, with back-off, as long as it fails transiently and nobody closes the replayer. */
    void untilDone(Runnable work, Transactions transactions, Clockwork clockwork) {
        for (int tries = 1; ; tries++) {
            try {
                work.run();
                return;
            } catch (RuntimeException e) {
                if (isClosing || !transactions.isTransient(e)) {
                    throw e;
                }
                Duration wait = BackOff.afterTransients(tries, clockwork.random());
                log.info("The result of a replayed message could not be saved; again in {} ms.", wait.toMillis(), e);
                pause(wait);
            }
        }
    }
}
