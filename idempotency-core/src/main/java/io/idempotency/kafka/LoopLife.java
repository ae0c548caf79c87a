package io.idempotency.kafka;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** Tracks the life of a poll loop: it begins once, may be closed at any time, and ends once. Thread-safe. */
final class LoopLife {

    private final AtomicBoolean begun = new AtomicBoolean();
    private final CountDownLatch closing = new CountDownLatch(1);
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile @Nullable Thread thread;

    /** Begins on the calling thread. Returns whether it had neither begun before nor been closed. */
    boolean begin() {
        if (!begun.compareAndSet(false, true)) {
            return false;
        }
        thread = Thread.currentThread();
        return true;
    }

    void end() {
        thread = null;
        ended.countDown();
    }

    boolean isRunning() {
        return begun.get() && ended.getCount() > 0;
    }

    boolean isClosing() {
        return closing.getCount() == 0;
    }

    /** Waits this long, or until the loop is closed. */
    void pause(long millis) throws InterruptedException {
        boolean unused = closing.await(millis, TimeUnit.MILLISECONDS);
    }

    /** Asks the loop to end. Returns whether it had begun; if not, it never runs. */
    boolean close() {
        closing.countDown();
        if (begun.compareAndSet(false, true)) {
            ended.countDown();
            return false;
        }
        return true;
    }

    /** Waits for the end, at most this long, and not at all on the thread of the loop. Returns whether the wait did not time out. */
    boolean awaitEnd(Duration atMost) {
        if (Thread.currentThread() == thread) {
            return true;
        }
        try {
            return ended.await(atMost.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return true;
        }
    }
}
