package io.idempotency;

import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.function.LongSupplier;

/** Lets a log line through for the first event of each partition, and then one a minute. Counts what it holds back. Thread-safe. */
final class RareLines {

    private static final Duration APART = Duration.ofMinutes(1);
    private static final int MOST_LANES = 10_000;

    private final LongSupplier nanoTime;
    private final Set<Lane> told = new HashSet<>();
    private long lastNanos;
    private long held;

    RareLines(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /** Notes an event. Returns how many the line stands for, this one included; 0 if there is none now. */
    synchronized long note(Lane lane) {
        held++;
        long now = nanoTime.getAsLong();
        boolean isFirst = told.size() < MOST_LANES && told.add(lane);
        if (!isFirst && now - lastNanos < APART.toNanos()) {
            return 0;
        }
        long events = held;
        lastNanos = now;
        held = 0;
        return events;
    }
}
