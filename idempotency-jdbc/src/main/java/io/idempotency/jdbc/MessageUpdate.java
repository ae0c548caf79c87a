package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.Collection;

/** Updates and locks rows, in the same way on every database. */
final class MessageUpdate {

    private MessageUpdate() {}

    private static final String UPDATE = """
            update ${tables}message set at_micros = ?, state = ?, record_offset = ?, place = ?
            where consumer = ? and message_id = ?
            """;

    private static final String LOCK =
            "update ${tables}message set state = state where consumer = ? and message_id = ? and state < ?";

    /** Locks rows unless they are settled, by writing them, as every database can. */
    static void lock(Connection connection, PlainDialect dialect, Collection<MessageKey> keys) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement(dialect.beforeWaiting() + dialect.filled(LOCK))) {
            dialect.bound(statement);
            for (MessageKey key : keys) {
                statement.setInt(1, key.consumer());
                statement.setObject(2, dialect.id(key.id()));
                statement.setInt(3, MessageState.FIRST_SETTLED);
                statement.addBatch();
            }
            statement.executeBatch();
        }
    }

    /** Writes rows that the running transaction has locked, or inserted. */
    static void run(Connection connection, Dialect dialect, Tables tables, Collection<MessageRow> rows)
            throws SQLException {
        if (rows.isEmpty()) {
            return;
        }
        try (PreparedStatement statement = connection.prepareStatement(dialect.beforeWaiting() + tables.fill(UPDATE))) {
            for (MessageRow row : rows) {
                statement.setLong(1, row.at());
                statement.setInt(2, row.state().packed());
                statement.setLong(3, row.offset());
                statement.setLong(4, row.place());
                statement.setInt(5, row.key().consumer());
                statement.setObject(6, dialect.id(row.key().id()));
                statement.addBatch();
            }
            statement.executeBatch();
        }
    }
}
