package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Journals in MariaDB and H2: the heads are locked by one statement, segments and heads are written by two more. */
final class StandardJournals extends Journals {

    private final InsertFirstDialect dialect;

    StandardJournals(InsertFirstDialect dialect) {
        super(dialect.tables, dialect);
        this.dialect = dialect;
    }

    @Override
    List<Head> lock(Connection connection, Collection<JournalKey> keys) throws SQLException {
        return dialect.locking(connection, queryHeads(keys.size()), statement -> {
            setKeys(statement, keys);
            return readHeads(statement);
        });
    }

    @Override
    String currentRead() {
        return dialect.currentRead();
    }

    @Override
    @Nullable
    String transactionId(Connection connection) throws SQLException {
        return dialect.runningTransaction(connection);
    }

    @Override
    String skipLocked() {
        return dialect.skipLocked();
    }

    private static final String CREATE = """
            insert into ${tables}journal
                (consumer, place, version, token, at_micros, horizon_version, horizon_offset, partitions)
            values (?, ?, 0, 0, 0, 0, -1, ?)
            """;

    @Override
    public void create(Connection connection, JournalKey key, int partitions) throws SQLException {
        try {
            dialect.waiting(connection, tables.fill(CREATE), statement -> {
                setKeys(statement, List.of(key));
                statement.setInt(3, partitions);
                return statement.executeUpdate();
            });
        } catch (SQLException e) {
            // Another one was faster; the statement has undone itself.
            if (!PlainDialect.isDuplicateKey(e)) {
                throw e;
            }
        }
    }
}
