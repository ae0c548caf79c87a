package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Deletes old messages for databases that cannot limit a deletion: selects some, deletes them, and raises the horizons of their partitions, all in one
 * transaction.
 */
final class PlainPurge {

    private final PlainDialect dialect;
    private final Connection connection;
    private final int consumer;
    private final Set<MessageKey> old = new TreeSet<>();
    private final Map<Long, TableHorizon> horizons = new TreeMap<>();

    PlainPurge(PlainDialect dialect, Connection connection, int consumer) {
        this.dialect = dialect;
        this.connection = connection;
        this.consumer = consumer;
    }

    int purge(long before, int limit) throws SQLException {
        select(before, limit);
        if (!old.isEmpty()) {
            delete(before);
            for (Map.Entry<Long, TableHorizon> each : horizons.entrySet()) {
                raise(each.getKey(), each.getValue());
            }
        }
        return old.size();
    }

    private static final String SELECT = """
            select message_id, place, record_offset, at_micros, state from ${tables}message
            where consumer = ? and at_micros < ? order by at_micros
            ${first} ${suffix}
            """;

    private void select(long before, int limit) throws SQLException {
        String sql = dialect.filled(SELECT)
                .replace("${first}", dialect.first(limit))
                .replace("${suffix}", dialect.skipLocked());
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setInt(1, consumer);
            statement.setLong(2, before);
            try (ResultSet result = statement.executeQuery()) {
                while (result.next()) {
                    old.add(new MessageKey(consumer, MessageKey.fromBytes(result.getBytes(1))));
                    long place = result.getLong(2);
                    if (place >= 0 && MessageState.of(result.getInt(5)).isSettled()) {
                        horizons.merge(
                                place, new TableHorizon(result.getLong(3), result.getLong(4)), TableHorizon::and);
                    }
                }
            }
        }
    }

    private static final String DELETE =
            "delete from ${tables}message where consumer = ? and message_id = ? and at_micros < ?";

    private void delete(long before) throws SQLException {
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

    private static final String LOCK =
            "update ${tables}horizon set record_offset = record_offset where consumer = ? and place = ?";

    private static final String RAISE =
            "update ${tables}horizon set record_offset = ?, at_micros = ? where consumer = ? and place = ?";

    private static final String INSERT =
            "insert into ${tables}horizon (record_offset, at_micros, consumer, place) values (?, ?, ?, ?)";

    /** Raises a horizon, or creates it. Another purge may do so at the same time: the lock makes one wait, a duplicate key makes one fail and run again. */
    private void raise(long place, TableHorizon purged) throws SQLException {
        boolean exists;
        try (PreparedStatement statement = connection.prepareStatement(dialect.filled(LOCK))) {
            statement.setInt(1, consumer);
            statement.setLong(2, place);
            exists = statement.executeUpdate() > 0;
        }
        TableHorizon raised = exists
                ? TableHorizon.read(connection, dialect, dialect.tables, consumer, place)
                        .orElse(purged)
                        .and(purged)
                : purged;
        try (PreparedStatement statement = connection.prepareStatement(dialect.filled(exists ? RAISE : INSERT))) {
            statement.setLong(1, raised.offset());
            statement.setLong(2, raised.at());
            statement.setInt(3, consumer);
            statement.setLong(4, place);
            statement.executeUpdate();
        }
    }
}
