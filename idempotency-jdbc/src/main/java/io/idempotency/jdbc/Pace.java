package io.idempotency.jdbc;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** Lets work in the background rest as long as it ran, so that it leaves half of the time to others. Confined to a thread. */
final class Pace {

    private static final long LONGEST_REST_NANOS = Duration.ofSeconds(1).toNanos();

    private long sinceNanos = System.nanoTime();

    /** Waits as long as it is since the last rest, up to a second; not at all if the thread is interrupted. */
    void rest() {
        LockSupport.parkNanos(Math.min(System.nanoTime() - sinceNanos, LONGEST_REST_NANOS));
        sinceNanos = System.nanoTime();
    }
}
