package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Set;
import java.util.TreeSet;

/** Deletes old messages in two steps, for databases that cannot limit a deletion: it selects some, then deletes them. */
final class PlainPurge {

    private final PlainDialect dialect;

    PlainPurge(PlainDialect dialect) {
        this.dialect = dialect;
    }

    int purge(Connection connection, int consumer, long before, int limit) throws SQLException {
        Set<MessageKey> old = select(connection, consumer, before, limit);
        if (!old.isEmpty()) {
            delete(connection, before, old);
        }
        return old.size();
    }

    private static final String SELECT = """
            select message_id from ${tables}message where consumer = ? and at_micros < ? order by at_micros
            ${first} ${suffix}
            """;

    private Set<MessageKey> select(Connection connection, int consumer, long before, int limit) throws SQLException {
        String sql = dialect.filled(SELECT)
                .replace("${first}", dialect.first(limit))
                .replace("${suffix}", dialect.skipLocked());
        Set<MessageKey> old = new TreeSet<>();
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setInt(1, consumer);
            statement.setLong(2, before);
            try (ResultSet result = statement.executeQuery()) {
                while (result.next()) {
                    old.add(new MessageKey(consumer, MessageKey.fromBytes(result.getBytes(1))));
                }
            }
        }
        return old;
    }

    private static final String DELETE =
            "delete from ${tables}message where consumer = ? and message_id = ? and at_micros < ?";

    private void delete(Connection connection, long before, Set<MessageKey> old) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(dialect.filled(DELETE))) {
            for (MessageKey key : old) {
                statement.setInt(1, key.consumer());
                statement.setObject(2, dialect.id(key.id()));
                statement.setLong(3, before);
                statement.addBatch();
            }
            statement.executeBatch();
        }
    }
}
