package io.idempotency;

import java.time.Duration;
import java.util.function.LongUnaryOperator;

/** Computes how long to wait before the next try. */
final class BackOff {

    static final Duration TRANSIENT_FIRST = Duration.ofMillis(100);
    static final Duration TRANSIENT_MAX = Duration.ofSeconds(10);

    private BackOff() {}

    /** Returns {@code first} for the first try, doubled for each further one, at most {@code max}. */
    static Duration doubling(Duration first, Duration max, int tries) {
        Duration doubled = first.multipliedBy(1L << Math.min(Math.max(tries - 1, 0), 30));
        return doubled.compareTo(max) > 0 ? max : doubled;
    }

    /** Returns the wait after the given number of transient failures in a row: 100 ms to 10 s, up to half of it added as jitter. */
    static Duration afterTransients(int inARow, LongUnaryOperator random) {
        Duration wait = doubling(TRANSIENT_FIRST, TRANSIENT_MAX, inARow);
        Duration jittered = wait.plusNanos(random.applyAsLong(wait.toNanos() / 2 + 1));
        return jittered.compareTo(TRANSIENT_MAX) > 0 ? TRANSIENT_MAX : jittered;
    }
}
