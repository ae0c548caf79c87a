package io.idempotency.jdbc;

import io.idempotency.store.StoredResult;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** The statements about results. Immutable and thread-safe. */
final class ResultRows {

    private final Tables tables;

    ResultRows(Tables tables) {
        this.tables = tables;
    }

    private static final String UPDATE = """
            update ${tables}result set at_micros = ${clock}, result_type = ?, fingerprint = ?, content = ?
            where consumer = ? and message_id = ? and name = ?
            """;

    private static final String INSERT = """
            insert into ${tables}result (at_micros, result_type, fingerprint, content, consumer, message_id, name)
            values (${clock}, ?, ?, ?, ?, ?, ?)
            """;

    private static final String INSERT_OR_UPDATE = INSERT + """
            on conflict (consumer, message_id, name)
            do update set at_micros = excluded.at_micros, result_type = excluded.result_type, fingerprint = excluded.fingerprint, content = excluded.content
            """;

    /**
     * Stores a result in place of one with its name. Nobody else stores results of the message meanwhile. It inserts first: an update that finds no row would lock the
     * gap on MariaDB, and inserts of other messages would wait for each other.
     */
    void put(Connection connection, Dialect dialect, MessageKey key, StoredResult result) throws SQLException {
        if (dialect instanceof PostgresDialect) {
            write(connection, dialect, INSERT_OR_UPDATE, key, result);
            return;
        }
        try {
            write(connection, dialect, INSERT, key, result);
        } catch (SQLException e) {
            if (!SqlFailures.isDuplicateKey(e)) {
                throw e;
            }
            write(connection, dialect, UPDATE, key, result);
        }
    }

    private int write(Connection connection, Dialect dialect, String sql, MessageKey key, StoredResult result)
            throws SQLException {
        String filled = tables.fill(sql.replace("${clock}", dialect.stamp(connection)));
        try (PreparedStatement statement = connection.prepareStatement(filled)) {
            statement.setString(1, result.type());
            statement.setBytes(2, result.fingerprint());
            statement.setBytes(3, result.content());
            statement.setInt(4, key.consumer());
            statement.setObject(5, dialect.id(key.id()));
            statement.setString(6, result.name());
            return statement.executeUpdate();
        }
    }

    private static final String FIND = """
            select name, result_type, fingerprint, content from ${tables}result
            where consumer = ? and message_id = ? order by at_micros, name
            """;

    /** @param isCurrent whether it must see what others have committed since the transaction began; such a read may wait for them */
    List<StoredResult> find(Connection connection, Dialect dialect, MessageKey key, boolean isCurrent)
            throws SQLException {
        List<StoredResult> found = new ArrayList<>();
        try (PreparedStatement statement =
                connection.prepareStatement(tables.fill(FIND) + (isCurrent ? dialect.currentRead() : ""))) {
            statement.setInt(1, key.consumer());
            statement.setObject(2, dialect.id(key.id()));
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    found.add(new StoredResult(row.getString(1), row.getString(2), bytes(row, 3), bytes(row, 4)));
                }
            }
        }
        return found;
    }

    /** Some databases take no bytes for null. */
    static byte[] bytes(ResultSet row, int column) throws SQLException {
        byte[] bytes = row.getBytes(column);
        return bytes == null ? new byte[0] : bytes;
    }

    private static final String FORGET = "delete from ${tables}result where consumer = ? and message_id = ?";

    /** Deletes the results of messages that are forgotten. */
    void forget(Connection connection, Dialect dialect, Collection<MessageKey> keys) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(FORGET))) {
            for (MessageKey key : keys) {
                statement.setInt(1, key.consumer());
                statement.setObject(2, dialect.id(key.id()));
                statement.addBatch();
            }
            statement.executeBatch();
        }
    }

    /** A result that is old enough. */
    private record Old(MessageKey key, String name, long at) {}

    private static final String OLD = """
            select r.consumer, r.message_id, r.name, r.at_micros from ${tables}result r join ${tables}name n on n.id = r.consumer
            where n.retention_micros + n.journal_retention_micros > 0
                and r.at_micros < ? - n.retention_micros and r.at_micros < ? - n.journal_retention_micros
                and not exists (select 1 from ${tables}message m where m.consumer = r.consumer and m.message_id = r.message_id)
            order by r.at_micros
            """;

    private static final String PURGE =
            "delete from ${tables}result where consumer = ? and message_id = ? and name = ? and at_micros = ?";

    /** Deletes old results of messages that the table does not remember, the oldest first, and none that was replaced meanwhile. Returns how many it found. */
    int purge(Connection connection, Dialect dialect, long now, int limit) throws SQLException {
        List<Old> old = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(OLD) + dialect.first(limit))) {
            statement.setLong(1, now);
            statement.setLong(2, now);
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    old.add(new Old(
                            new MessageKey(row.getInt(1), MessageKey.id(row, 2)), row.getString(3), row.getLong(4)));
                }
            }
        }
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(PURGE))) {
            for (Old each : old) {
                statement.setInt(1, each.key().consumer());
                statement.setObject(2, dialect.id(each.key().id()));
                statement.setString(3, each.name());
                statement.setLong(4, each.at());
                statement.addBatch();
            }
            if (!old.isEmpty()) {
                statement.executeBatch();
            }
        }
        return old.size();
    }
}
