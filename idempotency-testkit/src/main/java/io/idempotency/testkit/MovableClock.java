package io.idempotency.testkit;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/** A clock that stands still until a test moves it. Thread-safe. */
public final class MovableClock implements InstantSource {

    private volatile Instant now;

    private MovableClock(Instant start) {
        this.now = start;
    }

    /** Returns a clock that shows the given instant. */
    public static MovableClock at(Instant start) {
        return new MovableClock(start);
    }

    /** Returns a clock that shows 2026-01-01, noon UTC. */
    public static MovableClock create() {
        return at(Instant.parse("2026-01-01T12:00:00Z"));
    }

    @Override
    public Instant instant() {
        return now;
    }

    /** Moves the clock forward, or back if the duration is negative. */
    public synchronized void pass(Duration duration) {
        now = now.plus(duration);
    }
}
