package io.idempotency.jdbc;

import io.idempotency.store.Position;
import io.idempotency.store.Processed;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;

/** Converts times to and from the tables: microseconds since 1970 UTC, and lengths in microseconds. */
final class StoredTime {

    private StoredTime() {}

    static Instant instant(long micros) {
        return Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
    }

    static long micros(Instant instant) {
        return ChronoUnit.MICROS.between(Instant.EPOCH, instant);
    }

    /** Returns the first microsecond that is not before the moment. */
    static long microsUp(Instant instant) {
        return micros(instant.plusNanos(999));
    }

    static long micros(Duration duration) {
        return duration.toNanos() / 1000;
    }

    /** Reads the clock: microseconds, a timestamp with its zone, or one in the zone of the JVM. */
    static long micros(ResultSet result, int column) throws SQLException {
        Object value = result.getObject(column);
        if (value instanceof Number number) {
            return number.longValue();
        }
        return micros(
                value instanceof Timestamp local
                        ? local.toInstant()
                        : result.getObject(column, OffsetDateTime.class).toInstant());
    }

    /**
     * Returns the answer for a duplicate: where and how long ago its message was settled.
     *
     * @param at when the message was settled
     * @param now the database's clock; earlier than {@code at} counts as the same time
     */
    static Processed processed(Position position, long at, long now) {
        return new Processed(position, instant(at), Duration.of(Math.max(0, now - at), ChronoUnit.MICROS));
    }
}
