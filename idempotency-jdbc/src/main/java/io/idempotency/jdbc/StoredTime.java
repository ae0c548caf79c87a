package io.idempotency.jdbc;

import io.idempotency.store.Position;
import io.idempotency.store.Processed;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/** Converts times to and from what the tables hold: microseconds since 1970 UTC, and lengths in microseconds. */
final class StoredTime {

    private StoredTime() {}

    static Instant instant(long micros) {
        return Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
    }

    static long micros(Instant instant) {
        return ChronoUnit.MICROS.between(Instant.EPOCH, instant);
    }

    static long micros(Duration duration) {
        return duration.toNanos() / 1000;
    }

    /**
     * Returns what a duplicate is told about the first delivery.
     *
     * @param at when it was processed
     * @param now the database's clock; an earlier one than {@code at} counts as no time between
     */
    static Processed processed(Position position, long at, long now) {
        return new Processed(position, instant(at), Duration.of(Math.max(0, now - at), ChronoUnit.MICROS));
    }
}
