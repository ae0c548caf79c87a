package io.idempotency.jdbc;

import io.idempotency.jdbc.Dialect.Known;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/** Claims in PostgreSQL: any number of new messages by one statement. */
final class PostgresClaims {

    private static final State PROCESSED = State.processed(1, 0);

    private final String lockTimeout;
    private final String one;
    private final String many;

    PostgresClaims(Tables tables, String lockTimeout) {
        this.lockTimeout = lockTimeout;
        this.one = PostgresDialect.filled(tables, ONE);
        this.many = PostgresDialect.filled(tables, MANY);
    }

    Known claim(Connection connection, List<Arrival> arrivals) throws SQLException {
        return arrivals.size() == 1 ? claimOne(connection, arrivals.get(0)) : claimMany(connection, arrivals);
    }

    /**
     * Takes two thirds of the time of the other one: a transaction for each message is what record listeners have. Measured by the contestant
     * {@code table-record} of the benchmark {@code all-new}.
     */
    private static final String ONE = """
            with ${bounded}, inserted as (
                insert into ${tables}message (at_micros, record_offset, place, consumer, state, message_id)
                select ${clock}, ?, ?, ?, ?, ? from bounded
                on conflict (consumer, message_id) do nothing
                returning at_micros
            ), restored as materialized (
                select set_config('lock_timeout', before.lock_timeout, true), ${mark}
                from before, (select count(*) from inserted) as all_inserted
            )
            select inserted.at_micros, ${clock} from restored left join inserted on true
            """;

    private Known claimOne(Connection connection, Arrival arrival) throws SQLException {
        String mark = PostgresProof.newMark();
        try (PreparedStatement statement = connection.prepareStatement(one)) {
            statement.setString(1, lockTimeout);
            statement.setLong(2, arrival.offset());
            statement.setLong(3, arrival.place());
            statement.setInt(4, arrival.key().consumer());
            statement.setInt(5, PROCESSED.packed());
            statement.setObject(6, arrival.key().id());
            statement.setString(7, mark);
            try (ResultSet result = statement.executeQuery()) {
                result.next();
                long at = result.getLong(1);
                return new Known(result.wasNull() ? List.of() : List.of(row(arrival, at, result.getLong(2))), mark);
            }
        }
    }

    private static Row row(Arrival arrival, long at, long now) {
        return new Row(arrival.key(), at, PROCESSED, arrival.offset(), arrival.place(), now, true);
    }

    /**
     * Says which messages were inserted only if some were not: reading them all would take longer than inserting them. Measured by the contestant
     * {@code table-batch} of the benchmark {@code all-new}.
     */
    private static final String MANY = """
            with ${bounded}, inserted as (
                insert into ${tables}message (at_micros, record_offset, place, consumer, state, message_id)
                select clock.at, a.record_offset, a.place, a.consumer, ?, a.message_id
                from bounded, (select ${clock} as at) as clock,
                    unnest((select ?::integer[]), (select ?::uuid[]), (select ?::bigint[]), (select ?::bigint[]))
                    as a (consumer, message_id, record_offset, place)
                order by a.consumer, a.message_id
                on conflict (consumer, message_id) do nothing
                returning consumer, message_id, at_micros
            ), counted as materialized (
                select count(*) as inserted, min(at_micros) as at from inserted
            ), restored as materialized (
                select set_config('lock_timeout', before.lock_timeout, true), ${mark} from before, counted
            )
            select counted.at, ${clock} as now, consumer, message_id
            from restored, counted left join inserted on counted.inserted < ?
            """;

    private Known claimMany(Connection connection, List<Arrival> arrivals) throws SQLException {
        String mark = PostgresProof.newMark();
        try (PreparedStatement statement = connection.prepareStatement(many)) {
            statement.setString(1, lockTimeout);
            statement.setInt(2, PROCESSED.packed());
            PostgresDialect.setArrivals(statement, 3, arrivals);
            statement.setString(7, mark);
            statement.setInt(8, arrivals.size());
            try (ResultSet result = statement.executeQuery()) {
                return new Known(granted(result, arrivals), mark);
            }
        }
    }

    private static List<Row> granted(ResultSet result, List<Arrival> arrivals) throws SQLException {
        result.next();
        long at = result.getLong(1);
        if (result.wasNull()) {
            return List.of();
        }
        long now = result.getLong(2);
        Set<MessageKey> inserted = new HashSet<>();
        do {
            UUID id = result.getObject(4, UUID.class);
            if (id != null) {
                inserted.add(new MessageKey(result.getInt(3), id));
            }
        } while (result.next());
        List<Row> rows = new ArrayList<>(arrivals.size());
        for (Arrival arrival : arrivals) {
            if (inserted.isEmpty() || inserted.contains(arrival.key())) {
                rows.add(row(arrival, at, now));
            }
        }
        return rows;
    }
}
