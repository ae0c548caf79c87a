package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** Adopts messages by two plain statements: reads the known ones, and inserts the others. */
final class PlainAdoption {

    private final PlainDialect dialect;
    private final Connection connection;

    PlainAdoption(PlainDialect dialect, Connection connection) {
        this.dialect = dialect;
        this.connection = connection;
    }

    /** If another transaction inserts one of the rows in between, the call fails transiently. */
    MessageDialect.Inserted run(List<MessageRow> rows, int atOnce) throws SQLException {
        List<MessageRow> known =
                dialect.read(connection, rows.stream().map(MessageRow::key).toList(), "");
        Set<MessageKey> keys = known.stream().map(MessageRow::key).collect(Collectors.toSet());
        List<MessageRow> absent =
                rows.stream().filter(row -> !keys.contains(row.key())).toList();
        try {
            new MessageInsert(connection, dialect).run(absent, atOnce);
        } catch (SQLException e) {
            if (SqlFailures.isDuplicateKey(e)) {
                throw SqlFailures.faster(e);
            }
            throw e;
        }
        long unsettled = known.stream().filter(row -> !row.state().isSettled()).count();
        return new MessageDialect.Inserted(absent.size(), (int) unsettled);
    }
}
