package io.idempotency.jdbc;

import io.idempotency.store.Delivery;
import io.idempotency.store.Processed;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The statements about messages that are the same for every database. */
final class MessageTable {

    private final Tables tables;
    private final StoreDatabase database;
    private final Retentions retentions;
    /** The consumers whose messages come in any order. */
    private final Set<String> unordered = ConcurrentHashMap.newKeySet();

    private final String delete;

    MessageTable(StoreDatabase database, Tables tables) {
        this.tables = tables;
        this.database = database;
        this.retentions = Retentions.ofMessages(tables);
        this.delete = tables.fill(DELETE);
    }

    /** Returns the database of the table. */
    StoreDatabase database() {
        return database;
    }

    void anyOrder(String consumer) {
        unordered.add(consumer);
    }

    boolean isInAnyOrder(String consumer) {
        return unordered.contains(consumer);
    }

    /** Returns whether the numbers of all names are known. */
    boolean areNamed(List<Delivery> deliveries) {
        return database.areKnown(MessageLookup.namesIn(deliveries));
    }

    /** Returns the deliveries with their keys in the table. New names get a proposed number. */
    MessageLookup lookup(Connection connection, List<Delivery> deliveries, Map<String, Integer> proposed)
            throws SQLException {
        String consumer = null;
        for (Delivery delivery : deliveries) {
            if (!delivery.id().consumer().equals(consumer)) {
                consumer = delivery.id().consumer();
                retentions.met(consumer);
            }
        }
        return MessageLookup.of(
                deliveries,
                database.numbers(connection, MessageLookup.namesIn(deliveries), proposed),
                this::isInAnyOrder);
    }

    /** Returns the retentions of the consumers. */
    Retentions retentions() {
        return retentions;
    }

    Processed processed(Connection connection, MessageRow row, Map<String, Integer> proposed) throws SQLException {
        return StoredTime.processed(
                database.position(connection, row.place(), row.offset(), proposed), row.at(), row.now());
    }

    private static final String FIND = """
            select at_micros, state, record_offset, place, ${clock} from ${tables}message where consumer = ? and message_id = ?
            """;

    /** Returns the row, without a lock. */
    Optional<MessageRow> find(Connection connection, MessageKey key) throws SQLException {
        Dialect current = database.dialect(connection);
        String find = tables.fill(FIND.replace("${clock}", current.clock()));
        try (PreparedStatement statement = connection.prepareStatement(find)) {
            statement.setInt(1, key.consumer());
            statement.setObject(2, current.id(key.id()));
            try (ResultSet result = statement.executeQuery()) {
                return result.next()
                        ? Optional.of(new MessageRow(
                                key,
                                result.getLong(1),
                                MessageState.of(result.getInt(2)),
                                result.getLong(3),
                                result.getLong(4),
                                StoredTime.micros(result, 5),
                                false))
                        : Optional.empty();
            }
        }
    }

    /** Makes the claims processed for good. Returns whether all rows exist that were claimed or settled without a handler. */
    boolean settle(Connection connection, Evidence evidence) throws SQLException {
        Dialect current = database.dialect(connection);
        if (!new ClaimedRows(connection, current, tables, evidence).settle()) {
            return false;
        }
        for (Map.Entry<MessageKey, Long> each : evidence.settled().entrySet()) {
            Optional<MessageRow> row = find(connection, each.getKey());
            if (row.filter(found -> found.at() == each.getValue()).isEmpty()) {
                return false;
            }
        }
        return true;
    }

    /** Releases claims that were committed without a proof. Returns their number. */
    int release(Connection connection, Evidence evidence) throws SQLException {
        return new ClaimedRows(connection, database.dialect(connection), tables, evidence).release();
    }

    /** Writes rows that the running transaction has locked, or inserted. */
    void update(Connection connection, Collection<MessageRow> rows) throws SQLException {
        MessageUpdate.run(connection, database.dialect(connection), tables, rows);
    }

    private static final String WRITE = """
            update ${tables}message set at_micros = ?, state = ?, record_offset = ?, place = ?
            where consumer = ? and message_id = ?
            """;

    /** Writes a row that others may have locked, and waits for them at most the claim timeout. */
    void write(Connection connection, MessageRow row) throws SQLException {
        Dialect current = database.dialect(connection);
        current.update(connection, tables.fill(WRITE), statement -> {
            statement.setLong(1, row.at());
            statement.setInt(2, row.state().packed());
            statement.setLong(3, row.offset());
            statement.setLong(4, row.place());
            statement.setInt(5, row.key().consumer());
            statement.setObject(6, current.id(row.key().id()));
        });
    }

    private static final String FREE =
            "update ${tables}message set state = ?, at_micros = ? where consumer = ? and message_id = ? and state >= ?";

    /** Makes a quarantined message free. A message without a row gets one that says that it is free, so nobody takes it for a purged one. */
    void unquarantine(Connection connection, MessageArrival arrival) throws SQLException {
        MessageDialect current = database.messages(connection);
        // As after a first attempt: the next one takes over the results of steps.
        MessageState free = new MessageState(MessageState.Status.RELEASED, 1, 0, 0);
        long now = current.now(connection);
        int found = current.update(connection, tables.fill(FREE), statement -> {
            statement.setInt(1, free.packed());
            statement.setLong(2, now);
            statement.setInt(3, arrival.key().consumer());
            statement.setObject(4, current.id(arrival.key().id()));
            statement.setInt(5, MessageState.FIRST_QUARANTINED);
        });
        if (found == 0) {
            current.insert(connection, List.of(arrival), free, 0);
        }
    }

    private static final String DELETE = "delete from ${tables}message where consumer = ? and message_id = ?";

    /** Deletes the row; returns whether there was one. */
    boolean delete(Connection connection, MessageKey key) throws SQLException {
        Dialect current = database.dialect(connection);
        return current.update(connection, delete, statement -> {
                    statement.setInt(1, key.consumer());
                    statement.setObject(2, current.id(key.id()));
                })
                > 0;
    }
}
