package io.idempotency.jdbc;

import java.time.Instant;

/**
 * The clocks of the database and of this process, in microseconds since 1970 UTC. A message is old only if both say so: a clock that is ahead would
 * forget everything at once.
 */
record PurgeClock(long earlier, long later) {

    static PurgeClock of(long database) {
        long process = StoredTime.micros(Instant.now());
        return new PurgeClock(Math.min(database, process), Math.max(database, process));
    }
}
