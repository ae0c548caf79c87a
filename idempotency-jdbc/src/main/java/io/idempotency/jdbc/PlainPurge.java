package io.idempotency.jdbc;

import io.idempotency.store.StoredId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Deletes old messages for databases that cannot limit a deletion: selects some, renews those that are in quarantine, deletes the others, and raises the
 * horizons of their partitions, all in one transaction.
 */
final class PlainPurge {

    private final PlainDialect dialect;
    private final Connection connection;
    private final int consumer;
    private final Map<MessageKey, Old> old = new TreeMap<>();

    /** A row that is old enough. */
    private record Old(long place, TableHorizon horizon, MessageState state) {}

    PlainPurge(PlainDialect dialect, Connection connection, int consumer) {
        this.dialect = dialect;
        this.connection = connection;
        this.consumer = consumer;
    }

    MessageDialect.Purged purge(long before, int limit) throws SQLException {
        select(before, limit);
        List<MessageKey> kept = kept();
        change(RENEW.replace("${now}", String.valueOf(dialect.now(connection))), kept, before);
        kept.forEach(old::remove);
        change(DELETE, old.keySet(), before);
        Map<Long, TableHorizon> horizons = new TreeMap<>();
        for (Old each : old.values()) {
            if (each.place() >= 0 && each.state().isSettled()) {
                horizons.merge(each.place(), each.horizon(), TableHorizon::and);
            }
        }
        for (Map.Entry<Long, TableHorizon> each : horizons.entrySet()) {
            raise(each.getKey(), each.getValue());
        }
        return new MessageDialect.Purged(old.size(), kept.size());
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
                    old.put(
                            new MessageKey(consumer, StoredId.fromBytes(result.getBytes(1))),
                            new Old(
                                    result.getLong(2),
                                    new TableHorizon(result.getLong(3), result.getLong(4)),
                                    MessageState.of(result.getInt(5))));
                }
            }
        }
    }

    private static final String ENTRY =
            "select count(*) from ${tables}quarantine where consumer = ? and message_id = ?";

    /** Returns the quarantined messages that have an entry in the quarantine. */
    private List<MessageKey> kept() throws SQLException {
        List<MessageKey> kept = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(dialect.filled(ENTRY))) {
            for (Map.Entry<MessageKey, Old> each : old.entrySet()) {
                if (each.getValue().state().status() == MessageState.Status.QUARANTINED) {
                    statement.setInt(1, consumer);
                    statement.setObject(2, dialect.id(each.getKey().id()));
                    try (ResultSet result = statement.executeQuery()) {
                        if (result.next() && result.getInt(1) > 0) {
                            kept.add(each.getKey());
                        }
                    }
                }
            }
        }
        return kept;
    }

    private static final String RENEW =
            "update ${tables}message set at_micros = ${now} where consumer = ? and message_id = ? and at_micros < ?";

    private static final String DELETE =
            "delete from ${tables}message where consumer = ? and message_id = ? and at_micros < ?";

    private void change(String sql, Collection<MessageKey> keys, long before) throws SQLException {
        if (keys.isEmpty()) {
            return;
        }
        try (PreparedStatement statement = connection.prepareStatement(dialect.filled(sql))) {
            for (MessageKey key : keys) {
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
