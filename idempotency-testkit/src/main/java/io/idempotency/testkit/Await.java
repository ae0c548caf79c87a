package io.idempotency.testkit;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** Waits for a condition and checks it often. */
final class Await {

    private static final long LIMIT_SECONDS = 60;

    private Await() {}

    /** Waits until the condition holds, and fails the test if it never does. */
    static void until(String what, BooleanSupplier condition) {
        if (!within(TimeUnit.SECONDS.toMillis(LIMIT_SECONDS), condition)) {
            throw new AssertionError("Waited in vain until " + what);
        }
    }

    /** Waits until the condition holds or the time is over. Returns whether it holds. */
    static boolean within(long millis, BooleanSupplier condition) {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - end > 0) {
                return false;
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
        return true;
    }
}
