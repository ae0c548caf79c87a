package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/** Claims any number of new messages on PostgreSQL by one statement. */
final class PostgresClaims {

    private static final MessageState PROCESSED = MessageState.processed(1, 0);

    /** The state of one row of each claim. The trigger guards this row, and so all rows of the claim. The condition of the trigger has it as a number. */
    private static final int GUARDED = PROCESSED.packed() | MessageState.UNPROVED;

    private final PostgresWaiting waiting;
    private final String one;
    private final String many;

    PostgresClaims(Tables tables, PostgresWaiting waiting) {
        this.waiting = waiting;
        this.one = waiting.restoring(PostgresDialect.filled(tables, ONE));
        this.many = waiting.marking(PostgresDialect.filled(tables, MANY));
    }

    List<MessageRow> claim(Connection connection, List<MessageArrival> arrivals, Evidence evidence)
            throws SQLException {
        long mark = PostgresProof.newMark();
        List<MessageRow> rows = arrivals.size() == 1
                ? claimOne(connection, arrivals.get(0), mark)
                : claimMany(connection, arrivals, mark);
        evidence.addMark(mark);
        if (!rows.isEmpty() && !rows.get(0).key().equals(arrivals.get(0).key())) {
            evidence.unguarded(rows.get(0).key());
        }
        return rows;
    }

    /**
     * Claims one message. It restores the timeout in its result, which saves the server a statement; record listeners have one transaction per message.
     * Together with the commit it takes a quarter less of the server's time than the queries for many messages. The contestant {@code table-record} of the
     * benchmark {@code all-new} measures it.
     */
    private static final String ONE =
            """
            insert into ${tables}message (at_micros, record_offset, place, consumer, state, message_id)
            values (${clock}, ?, ?, ?, ?, ?)
            on conflict (consumer, message_id) do nothing
            returning at_micros, ${clock}, ${restored}, ${mark}
            """.replace("${restored}", PostgresWaiting.RESTORED).replace("${mark}", PostgresProof.MARK);

    private List<MessageRow> claimOne(Connection connection, MessageArrival arrival, long mark) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(one)) {
            statement.setLong(1, arrival.offset());
            statement.setLong(2, arrival.place());
            statement.setInt(3, arrival.key().consumer());
            statement.setInt(4, GUARDED);
            statement.setObject(5, arrival.key().id());
            statement.setLong(6, mark);
            try (ResultSet result = waiting.run(statement)) {
                if (result.next()) {
                    return List.of(row(arrival, result.getLong(1), result.getLong(2)));
                }
            }
        }
        nothing(connection, mark);
        return List.of();
    }

    /** Restores the timeout and marks the transaction after an insert without a result, because nothing was inserted. */
    private static void nothing(Connection connection, long mark) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement("select " + PostgresWaiting.RESTORED + ", " + PostgresProof.MARK)) {
            statement.setLong(1, mark);
            statement.execute();
        }
    }

    private static MessageRow row(MessageArrival arrival, long at, long now) {
        return new MessageRow(arrival.key(), at, PROCESSED, arrival.offset(), arrival.place(), now, true);
    }

    /**
     * Claims many messages. It returns the inserted ones only if some were not inserted, because reading them all takes longer than inserting them. The contestant
     * {@code table-batch} of the benchmark {@code all-new} measures it.
     */
    private static final String MANY = """
            with inserted as (
                insert into ${tables}message (at_micros, record_offset, place, consumer, state, message_id)
                select clock.at, a.record_offset, a.place, a.consumer, ? + (a.message_id = ?)::integer, a.message_id
                from (select ${clock} as at) as clock,
                    unnest((select ?::integer[]), (select ?::uuid[]), (select ?::bigint[]), (select ?::bigint[]))
                    as a (consumer, message_id, record_offset, place)
                order by a.consumer, a.message_id
                on conflict (consumer, message_id) do nothing
                returning consumer, message_id, at_micros
            ), counted as materialized (
                select count(*) as inserted, min(at_micros) as at from inserted
            )
            select counted.at, ${clock} as now, consumer, message_id
            from counted left join inserted on counted.inserted < ?
            """;

    private List<MessageRow> claimMany(Connection connection, List<MessageArrival> arrivals, long mark)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(many)) {
            statement.setInt(1, PROCESSED.packed());
            statement.setObject(2, arrivals.get(0).key().id());
            PostgresArrays.setArrivals(statement, 3, arrivals);
            statement.setInt(7, arrivals.size());
            statement.setLong(8, mark);
            try (ResultSet result = waiting.run(statement)) {
                return granted(result, arrivals);
            }
        }
    }

    private static List<MessageRow> granted(ResultSet result, List<MessageArrival> arrivals) throws SQLException {
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
        List<MessageRow> rows = new ArrayList<>(arrivals.size());
        for (MessageArrival arrival : arrivals) {
            if (inserted.isEmpty() || inserted.contains(arrival.key())) {
                rows.add(row(arrival, at, now));
            }
        }
        return rows;
    }
}
