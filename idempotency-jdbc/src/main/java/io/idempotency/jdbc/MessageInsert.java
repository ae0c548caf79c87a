package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;

/** Inserts new rows, in the same way on every database without a dialect; only the number of rows in a statement differs. */
final class MessageInsert {

    private static final String INSERT = """
            insert into ${tables}message (at_micros, record_offset, place, consumer, state, message_id)
            values ${rows}
            """;

    private static final String VALUES = "(?, ?, ?, ?, ?, ?)";

    private final Connection connection;
    private final PlainDialect dialect;

    MessageInsert(Connection connection, PlainDialect dialect) {
        this.connection = connection;
        this.dialect = dialect;
    }

    /** @param atOnce how many rows one statement may have; with 1, several rows are one batch */
    void run(List<MessageRow> rows, int atOnce) throws SQLException {
        if (rows.isEmpty()) {
            return;
        }
        if (atOnce == 1) {
            asBatch(rows);
            return;
        }
        for (int from = 0; from < rows.size(); from += atOnce) {
            together(rows.subList(from, Math.min(rows.size(), from + atOnce)));
        }
    }

    private void together(List<MessageRow> rows) throws SQLException {
        String values = (VALUES + ", ").repeat(rows.size() - 1) + VALUES;
        try (PreparedStatement statement = prepared(values)) {
            int i = 0;
            for (MessageRow row : rows) {
                i = set(statement, i, row);
            }
            statement.executeUpdate();
        }
    }

    private void asBatch(List<MessageRow> rows) throws SQLException {
        try (PreparedStatement statement = prepared(VALUES)) {
            for (MessageRow row : rows) {
                set(statement, 0, row);
                statement.addBatch();
            }
            statement.executeBatch();
        }
    }

    private PreparedStatement prepared(String values) throws SQLException {
        PreparedStatement statement = connection.prepareStatement(
                dialect.beforeWaiting() + dialect.filled(INSERT).replace("${rows}", values));
        dialect.bound(statement);
        return statement;
    }

    private int set(PreparedStatement statement, int before, MessageRow row) throws SQLException {
        int i = before;
        statement.setLong(++i, row.at());
        statement.setLong(++i, row.offset());
        statement.setLong(++i, row.place());
        statement.setInt(++i, row.key().consumer());
        statement.setInt(++i, row.state().packed());
        statement.setObject(++i, dialect.id(row.key().id()));
        return i;
    }
}
