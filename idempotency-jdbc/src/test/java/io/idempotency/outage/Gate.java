package io.idempotency.outage;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Holds a handler at a place of the test's choice until it is opened. */
final class Gate {

    private final CountDownLatch arrived = new CountDownLatch(1);
    private final CountDownLatch opened = new CountDownLatch(1);

    /** Waits until the gate is open. */
    void pass() {
        arrived.countDown();
        await(opened, "opened");
    }

    /** Waits until somebody stands before the gate. */
    void awaitArrival() {
        await(arrived, "reached");
    }

    void open() {
        opened.countDown();
    }

    /** Stands before a gate that nobody opens. */
    void stay(Duration atMost) throws InterruptedException {
        boolean unused = opened.await(atMost.toMillis(), TimeUnit.MILLISECONDS);
    }

    private static void await(CountDownLatch latch, String what) {
        try {
            if (!latch.await(Eventually.AT_MOST.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new IllegalStateException("The gate was not " + what);
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
