package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/** Deletes old messages and raises the horizons of their partitions, in one statement. Immutable and thread-safe. */
final class PostgresPurge {

    /** The bits that the index of times drops, so that rows of the same four seconds share an entry. */
    private static final int AT_SHIFT = 22;

    /** Reads in the order of the index, so that no plan reads the whole table, whatever the statistics say. */
    private static final String PURGE = """
            with gone as (
                delete from ${tables}message
                where ctid = any (array(
                    select ctid from ${tables}message
                    where consumer = ? and (at_micros >> 22) <= ? and at_micros < ?
                    order by consumer, (at_micros >> 22) limit ? for update skip locked))
                returning consumer, place, record_offset, at_micros, state
            ), raised as (
                insert into ${tables}horizon as horizon (consumer, place, record_offset, at_micros)
                select consumer, place, max(record_offset), max(at_micros) from gone where place >= 0 and state >= ${settled}
                group by consumer, place order by place
                on conflict (consumer, place) do update set
                    record_offset = greatest(horizon.record_offset, excluded.record_offset),
                    at_micros = greatest(horizon.at_micros, excluded.at_micros)
            )
            select count(*) from gone
            """;

    private final String purge;

    PostgresPurge(Tables tables) {
        this.purge = tables.fill(PURGE.replace("${settled}", String.valueOf(MessageState.FIRST_SETTLED)));
    }

    int run(Connection connection, int consumer, long before, int limit) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(purge)) {
            statement.setInt(1, consumer);
            statement.setLong(2, before >> AT_SHIFT);
            statement.setLong(3, before);
            statement.setInt(4, limit);
            try (ResultSet result = statement.executeQuery()) {
                result.next();
                return result.getInt(1);
            }
        }
    }
}
