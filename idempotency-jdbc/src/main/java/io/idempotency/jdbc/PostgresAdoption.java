package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;

/** Adopts messages on PostgreSQL by one statement, and one more if some are known. Immutable and thread-safe. */
final class PostgresAdoption {

    private static final int PROCESSED = MessageState.processed(1, 0).packed();

    private final PostgresWaiting waiting;
    private final String insert;
    private final String unsettled;

    PostgresAdoption(Tables tables, PostgresWaiting waiting) {
        this.waiting = waiting;
        this.insert = waiting.bounded(tables.fill(INSERT));
        this.unsettled = tables.fill(UNSETTLED);
    }

    MessageDialect.Inserted run(Connection connection, List<MessageRow> rows) throws SQLException {
        int inserted = insert(connection, rows);
        return new MessageDialect.Inserted(inserted, inserted == rows.size() ? 0 : unsettled(connection, rows));
    }

    private static final String INSERT = """
            with inserted as (
                insert into ${tables}message (at_micros, record_offset, place, consumer, state, message_id)
                select a.at_micros, -1, -1, a.consumer, ?, a.message_id
                from unnest((select ?::integer[]), (select ?::uuid[]), (select ?::bigint[])) as a (consumer, message_id, at_micros)
                order by a.consumer, a.message_id
                on conflict (consumer, message_id) do nothing
                returning 1
            )
            select count(*) from inserted
            """;

    private int insert(Connection connection, List<MessageRow> rows) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(insert)) {
            statement.setInt(1, PROCESSED);
            setKeys(statement, 2, rows);
            statement.setObject(4, rows.stream().mapToLong(MessageRow::at).toArray());
            try (ResultSet result = waiting.run(statement)) {
                result.next();
                return result.getInt(1);
            }
        }
    }

    /** Each message is looked up by a query of its own, which can only use the key. */
    private static final String UNSETTLED = """
            select count(*)
            from unnest((select ?::integer[]), (select ?::uuid[])) as a (consumer, message_id) cross join lateral (
                select state from ${tables}message m
                where m.consumer = a.consumer and m.message_id = a.message_id
                offset 0
            ) as known
            where known.state < ?
            """;

    private int unsettled(Connection connection, List<MessageRow> rows) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(unsettled)) {
            setKeys(statement, 1, rows);
            statement.setInt(3, MessageState.FIRST_SETTLED);
            try (ResultSet result = statement.executeQuery()) {
                result.next();
                return result.getInt(1);
            }
        }
    }

    private static void setKeys(PreparedStatement statement, int index, List<MessageRow> rows) throws SQLException {
        statement.setObject(
                index, rows.stream().mapToInt(row -> row.key().consumer()).toArray());
        UUID[] ids = rows.stream().map(row -> row.key().id()).toArray(UUID[]::new);
        statement.setArray(index + 1, statement.getConnection().createArrayOf("uuid", ids));
    }
}
