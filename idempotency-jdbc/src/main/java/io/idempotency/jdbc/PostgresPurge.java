package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/** Deletes old messages and raises the horizons of their partitions, in one statement. Immutable and thread-safe. */
final class PostgresPurge {

    /** The bits that the index of times drops, so that rows of the same four seconds share an entry. */
    private static final int AT_SHIFT = 22;

    /**
     * Reads in the order of the index, so that no plan reads the whole table, whatever the statistics say. For the same reason each quarantined message is
     * looked up by a query of its own.
     */
    private static final String PURGE = """
            with old as materialized (
                select ctid as row, state >= ${quarantined} and exists (
                    select from ${tables}quarantine q where q.consumer = m.consumer and q.message_id = m.message_id offset 0) as is_kept
                from ${tables}message m
                where consumer = ? and (at_micros >> 22) <= ? and at_micros < ?
                order by consumer, (at_micros >> 22) limit ? for update of m skip locked
            ), gone as (
                delete from ${tables}message where ctid = any (array(select row from old where not is_kept))
                returning consumer, place, record_offset, at_micros, state
            ), kept as (
                update ${tables}message set at_micros = ${clock} where ctid = any (array(select row from old where is_kept))
                returning consumer
            ), raised as (
                insert into ${tables}horizon as horizon (consumer, place, record_offset, at_micros)
                select consumer, place, max(record_offset), max(at_micros) from gone where place >= 0 and state >= ${settled}
                group by consumer, place order by place
                on conflict (consumer, place) do update set
                    record_offset = greatest(horizon.record_offset, excluded.record_offset),
                    at_micros = greatest(horizon.at_micros, excluded.at_micros)
            )
            select (select count(*) from gone), (select count(*) from kept)
            """.replace("${settled}", String.valueOf(MessageState.FIRST_SETTLED))
            .replace("${quarantined}", String.valueOf(MessageState.FIRST_QUARANTINED));

    private final String purge;

    PostgresPurge(Tables tables) {
        this.purge = PostgresDialect.filled(tables, PURGE);
    }

    MessageDialect.Purged run(Connection connection, int consumer, long before, int limit) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(purge)) {
            statement.setInt(1, consumer);
            statement.setLong(2, before >> AT_SHIFT);
            statement.setLong(3, before);
            statement.setInt(4, limit);
            try (ResultSet result = statement.executeQuery()) {
                result.next();
                return new MessageDialect.Purged(result.getInt(1), result.getInt(2));
            }
        }
    }
}
