package io.idempotency.jdbc;

import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Position;
import io.idempotency.store.Processed;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The rows of the messages: the statements that are the same for every database, and the way to the others. */
final class MessageTable {

    private final Tables tables;
    private final Duration claimTimeout;
    private final Names names;
    private final Retentions retentions;
    private final String delete;
    private volatile @Nullable Dialects dialects;
    private volatile boolean isIsolationSeen;

    MessageTable(Tables tables, Duration claimTimeout) {
        this.tables = tables;
        this.claimTimeout = claimTimeout;
        this.names = new Names(tables);
        this.retentions = Retentions.ofMessages(tables);
        this.delete = tables.fill(DELETE);
    }

    /** Returns the dialect of the database, which is known from the first connection on. */
    Dialect dialect(Connection connection) throws SQLException {
        return dialects(connection).messages();
    }

    private Dialects dialects(Connection connection) throws SQLException {
        Dialects known = dialects;
        if (known == null) {
            known = Dialects.of(connection, tables, claimTimeout);
            names.waiting(known.messages().waiting());
            dialects = known;
        }
        return known;
    }

    /** Looks at the isolation of the first transaction, so that a pool with the wrong one is refused at once. */
    void lookAtIsolation(Connection connection) throws SQLException {
        if (!isIsolationSeen) {
            requireCommittedReads(connection);
            isIsolationSeen = true;
        }
    }

    /** Refuses to go by what a query shows that may not be committed. For those who read: MariaDB's driver may ask the server. */
    void requireCommittedReads(Connection connection) throws SQLException {
        if (dialect(connection).isReadingUncommitted(connection)) {
            throw new IdempotencyException(
                    "Messages cannot be claimed at READ UNCOMMITTED, which the pool, the session or the server has as its default:"
                            + " use READ COMMITTED or a stricter isolation level");
        }
    }

    /** Returns whether the numbers of all names are known. */
    boolean areNamed(List<Delivery> deliveries) {
        Delivery last = null;
        for (Delivery delivery : deliveries) {
            if (last == null || !JournalPlace.isSame(last, delivery)) {
                last = delivery;
                if (!names.areKnown(MessageLookup.namesIn(List.of(delivery)))) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Returns the deliveries in the numbers of the table; names that are new get a number proposed. */
    MessageLookup asked(Connection connection, List<Delivery> deliveries, Map<String, Integer> proposed)
            throws SQLException {
        String consumer = null;
        for (Delivery delivery : deliveries) {
            if (!delivery.id().consumer().equals(consumer)) {
                consumer = delivery.id().consumer();
                retentions.met(consumer);
            }
        }
        return MessageLookup.of(deliveries, names.numbers(connection, MessageLookup.namesIn(deliveries), proposed));
    }

    /** Returns how long the messages of each consumer are remembered. */
    Retentions retentions() {
        return retentions;
    }

    /** Stores the proposed numbers, as late as possible in the running transaction. */
    void storeNames(Connection connection, Map<String, Integer> proposed) throws SQLException {
        names.store(connection, dialect(connection), proposed);
    }

    /** Returns the number of the consumer, or null if nothing was ever stored for it. */
    @Nullable
    Integer consumer(Connection connection, String consumer, Map<String, Integer> proposed) throws SQLException {
        return names.find(connection, consumer, proposed);
    }

    Processed processed(Connection connection, MessageRow row, Map<String, Integer> proposed) throws SQLException {
        return StoredTime.processed(
                names.position(connection, row.place(), row.offset(), proposed), row.at(), row.now());
    }

    /** Returns the numbers of names; new ones are proposed, and to be stored before the commit. */
    Map<String, Integer> numbers(Connection connection, Set<String> wanted, Map<String, Integer> proposed)
            throws SQLException {
        dialect(connection);
        return names.numbers(connection, wanted, proposed);
    }

    /** Returns the statements for journals. */
    JournalDialect journals(Connection connection) throws SQLException {
        JournalDialect journals = dialects(connection).journals();
        if (journals == null) {
            throw new IdempotencyException(
                    "There are no journals for this database, only for PostgreSQL, MariaDB and H2: use a TableStore");
        }
        return journals;
    }

    Position position(Connection connection, long place, long offset, Map<String, Integer> proposed)
            throws SQLException {
        return names.position(connection, place, offset, proposed);
    }

    long now(Connection connection) throws SQLException {
        return dialect(connection).now(connection);
    }

    private static final String FIND = """
            select at_micros, state, record_offset, place, ${clock} from ${tables}message where consumer = ? and message_id = ?
            """;

    /** Returns the row, without a lock. */
    Optional<MessageRow> find(Connection connection, MessageKey key) throws SQLException {
        Dialect current = dialect(connection);
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
                                PlainDialect.micros(result, 5),
                                false))
                        : Optional.empty();
            }
        }
    }

    /** Makes what was claimed processed for good. Returns whether all of it is there, and what was quarantined. */
    boolean settle(Connection connection, Evidence evidence) throws SQLException {
        Dialect current = dialect(connection);
        if (!new ClaimedRows(connection, current, tables, evidence).settle()) {
            return false;
        }
        for (Map.Entry<MessageKey, Long> each : evidence.quarantined().entrySet()) {
            Optional<MessageRow> row = find(connection, each.getKey());
            if (row.filter(found -> found.at() == each.getValue()).isEmpty()) {
                return false;
            }
        }
        return true;
    }

    /** Releases what was claimed and committed without a proof. Returns how many messages these are. */
    int release(Connection connection, Evidence evidence) throws SQLException {
        return new ClaimedRows(connection, dialect(connection), tables, evidence).release();
    }

    /** Writes rows that the running transaction has locked, or inserted. */
    void update(Connection connection, Collection<MessageRow> rows) throws SQLException {
        MessageUpdate.run(connection, dialect(connection), tables, rows);
    }

    private static final String DELETE = "delete from ${tables}message where consumer = ? and message_id = ?";

    /** Deletes the row; returns whether there was one. */
    boolean delete(Connection connection, MessageKey key) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(delete)) {
            statement.setInt(1, key.consumer());
            statement.setObject(2, dialect(connection).id(key.id()));
            return statement.executeUpdate() > 0;
        }
    }
}
