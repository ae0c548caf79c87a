package io.idempotency.jdbc;

import io.idempotency.store.Delivery;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;

/**
 * How far the purge has come in a partition.
 *
 * @param offset the greatest offset of the purged messages
 * @param at when the last one of them was settled, in microseconds since 1970 UTC
 */
record TableHorizon(long offset, long at) {

    /** The horizon of a partition in which nothing was purged. */
    static final TableHorizon NONE = new TableHorizon(-1, 0);

    private static final String SELECT =
            "select record_offset, at_micros from ${tables}horizon where consumer = ? and place = ?";

    /** Reads the horizon, without a lock: a purge does not wait for claims. Empty if nothing was purged. */
    static Optional<TableHorizon> read(Connection connection, Dialect dialect, Tables tables, int consumer, long place)
            throws SQLException {
        Waiting waiting = dialect.waiting();
        try (PreparedStatement statement = connection.prepareStatement(waiting.bounded(tables.fill(SELECT)))) {
            statement.setInt(1, consumer);
            statement.setLong(2, place);
            try (ResultSet result = waiting.run(statement)) {
                return result.next()
                        ? Optional.of(new TableHorizon(result.getLong(1), result.getLong(2)))
                        : Optional.empty();
            }
        }
    }

    /**
     * Returns whether the delivery was settled before the purge came here, so far as offset and timestamp tell. Every message up to the offset was sent before
     * the last one was settled. A message that was sent later is of a topic that was created again; "later" means nearer to now than to that moment,
     * because clocks of producers differ.
     */
    boolean isAtOrBehind(Delivery delivery) {
        long nowMicros = System.currentTimeMillis() * 1_000;
        boolean isSentLater = delivery.timestamp() * 1_000 > at + (nowMicros - at) / 2;
        return delivery.position().offset() <= offset && !isSentLater;
    }

    TableHorizon and(TableHorizon other) {
        return new TableHorizon(Math.max(offset, other.offset), Math.max(at, other.at));
    }
}
