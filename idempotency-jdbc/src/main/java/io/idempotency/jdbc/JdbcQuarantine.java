package io.idempotency.jdbc;

import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineCount;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineGroup;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantineSummary;
import io.idempotency.store.QuarantineTotal;
import io.idempotency.store.QuarantinedMessage;
import io.idempotency.store.StoredId;
import io.idempotency.store.TransientStoreException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Keeps quarantined messages in a table beside those of the stores, with their bytes. It joins the transaction that is active on the data source, or
 * uses one of its own. Give it the same data source, prefix and schema as the store. Immutable and thread-safe.
 */
public final class JdbcQuarantine implements QuarantineStore {

    private final DataSource dataSource;
    private final Tables tables;
    private final Duration claimTimeout;
    private final Connections connections;
    private final JdbcTransactions transactions;
    private final StoreDatabase database;
    private final QuarantineRows rows;
    private final QuarantineKeys keys;

    private JdbcQuarantine(DataSource dataSource, Tables tables, Duration claimTimeout) {
        this.dataSource = dataSource;
        this.tables = tables;
        this.claimTimeout = claimTimeout;
        this.rows = new QuarantineRows(tables);
        this.transactions = JdbcTransactions.on(dataSource);
        this.connections = new Connections(transactions);
        this.database = new StoreDatabase(tables, claimTimeout);
        this.keys = new QuarantineKeys(tables, database);
    }

    /** Returns the quarantine with the default table names on the data source. Does not connect yet. */
    public static JdbcQuarantine on(DataSource dataSource) {
        return new JdbcQuarantine(dataSource, Tables.standard(), StoreDatabase.DEFAULT_CLAIM_TIMEOUT);
    }

    /** Returns a quarantine whose table names begin with the prefix. */
    public JdbcQuarantine tablePrefix(String prefix) {
        return new JdbcQuarantine(dataSource, new Tables(tables.schema(), prefix), claimTimeout);
    }

    /** Returns a quarantine whose tables are in the schema. */
    public JdbcQuarantine schema(String name) {
        return new JdbcQuarantine(dataSource, new Tables(name, tables.prefix()), claimTimeout);
    }

    /**
     * Returns a quarantine that waits so long for another transaction with the same message, before it fails transiently; 5 seconds by default.
     *
     * @throws IdempotencyException if the timeout is not positive
     */
    public JdbcQuarantine claimTimeout(Duration timeout) {
        if (timeout.isNegative() || timeout.isZero()) {
            throw new IdempotencyException("The claim timeout must be positive, not " + timeout);
        }
        return new JdbcQuarantine(dataSource, tables, timeout);
    }

    @Override
    public void save(QuarantinedMessage message) {
        within("keep a quarantined message", (connection, active) -> {
            MessageLookup lookup = lookup(connection, message.delivery(), active.proposedNames());
            MessageArrival arrival = lookup.all().iterator().next();
            Dialect dialect = database.dialect(connection);
            QuarantineRows.Kept kept =
                    new QuarantineRows.Kept(arrival, dialect.id(arrival.key().id()), dialect.now(connection));
            try {
                if (!rows.update(connection, dialect, message, kept)) {
                    rows.insert(connection, dialect, message, kept);
                }
            } catch (SQLException e) {
                if (SqlFailures.isDuplicateKey(e)) {
                    throw new TransientStoreException("Another transaction is keeping " + message.delivery(), e);
                }
                throw e;
            }
            return true;
        });
    }

    private MessageLookup lookup(Connection connection, Delivery delivery, Map<String, Integer> proposed)
            throws SQLException {
        List<Delivery> one = List.of(delivery);
        // Entries have the offsets as they are.
        return MessageLookup.of(
                one, database.numbers(connection, MessageLookup.namesIn(one), proposed), consumer -> false);
    }

    @Override
    public Optional<QuarantineEntry> find(MessageId id) {
        return within("find a quarantined message", (connection, active) -> {
            MessageKey key = key(connection, id, active.proposedNames());
            return key == null ? Optional.empty() : read(connection, key, id, rows.find());
        });
    }

    private static final String LOCK =
            "update ${tables}quarantine set generation = generation where consumer = ? and message_id = ? and generation = ?";

    /** {@inheritDoc} Two round trips: an update without a change locks the row, as every database can. */
    @Override
    public Optional<QuarantineEntry> take(MessageId id, long generation) {
        if (!transactions.isActive()) {
            throw new IdempotencyException("A quarantined message is taken within a transaction only");
        }
        return within("take a quarantined message", (connection, active) -> {
            MessageKey key = key(connection, id, active.proposedNames());
            if (key == null) {
                return Optional.empty();
            }
            Dialect dialect = database.dialect(connection);
            dialect.update(connection, tables.fill(LOCK), statement -> {
                statement.setInt(1, key.consumer());
                statement.setObject(2, dialect.id(key.id()));
                statement.setLong(3, generation);
            });
            return read(connection, key, id, rows.find() + dialect.currentRead())
                    .filter(entry -> entry.generation() == generation);
        });
    }

    private Optional<QuarantineEntry> read(Connection connection, MessageKey key, MessageId id, String query)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(query)) {
            statement.setInt(1, key.consumer());
            statement.setObject(2, database.dialect(connection).id(key.id()));
            try (ResultSet row = statement.executeQuery()) {
                return row.next() ? Optional.of(entry(connection, id, row)) : Optional.empty();
            }
        }
    }

    private QuarantineEntry entry(Connection connection, MessageId id, ResultSet row) throws SQLException {
        Map<String, Integer> proposed = ActiveTransaction.of(database).proposedNames();
        long place = row.getLong("place");
        long offset = row.getLong("record_offset");
        return QuarantineRows.entry(row, id, database.position(connection, place, offset, proposed));
    }

    /** {@inheritDoc} A round trip for each partition in which it looks, and two more. */
    @Override
    public List<QuarantineSummary> list(QuarantineSelection selection, Optional<Delivery> after, int limit) {
        return within(
                "list quarantined messages",
                (connection, active) -> search(connection, selection, active).page(after, limit).stream()
                        .map(QuarantineSearch.Found::summary)
                        .toList());
    }

    /** {@inheritDoc} A few round trips. */
    @Override
    public QuarantineCount count(QuarantineSelection selection) {
        return within(
                "count quarantined messages",
                (connection, active) -> search(connection, selection, active).count());
    }

    /** {@inheritDoc} A few round trips, which read no bytes. */
    @Override
    public List<QuarantineGroup> groups(QuarantineSelection selection, int limit) {
        return within(
                "group quarantined messages",
                (connection, active) -> search(connection, selection, active)
                        .groups(database.now(connection))
                        .greatest(limit));
    }

    private QuarantineSearch search(Connection connection, QuarantineSelection selection, ActiveTransaction active)
            throws SQLException {
        return new QuarantineSearch(connection, database, tables, selection, active.proposedNames());
    }

    @Override
    public List<MessageId> list(String consumer, int limit) {
        return within("list quarantined messages", (connection, active) -> {
            Integer number = database.consumer(connection, consumer, active.proposedNames());
            return number == null || limit < 1
                    ? List.of()
                    : rows.ids(connection, number, database.dialect(connection).first(limit)).stream()
                            .map(id -> new MessageId(consumer, id))
                            .toList();
        });
    }

    @Override
    public Set<Long> keyHashes(String consumer, String stream, int partition, int limit) {
        Position position = new Position(stream, partition, 0);
        return within(
                "read the keys of quarantined messages",
                (connection, active) -> keys.hashes(session(connection, active), consumer, position, limit));
    }

    @Override
    public Optional<Delivery> lastBefore(String consumer, Position position, long keyHash) {
        return within(
                "find an earlier message of a key",
                (connection, active) -> keys.lastBefore(session(connection, active), consumer, position, keyHash));
    }

    @Override
    public long countBehind(String consumer, Position position, long keyHash) {
        return within(
                "count messages behind another one",
                (connection, active) -> keys.countBehind(session(connection, active), consumer, position, keyHash));
    }

    @Override
    public List<Follower> freeFollowers(String consumer, int limit) {
        return within(
                "list messages that follow others",
                (connection, active) -> keys.freeFollowers(session(connection, active), consumer, limit));
    }

    private static QuarantineKeys.Session session(Connection connection, ActiveTransaction active) {
        return new QuarantineKeys.Session(connection, active.proposedNames());
    }

    private static final String DELETE = "delete from ${tables}quarantine where consumer = ? and message_id = ?";

    @Override
    public boolean delete(MessageId id) {
        return within("delete a quarantined message", (connection, active) -> {
            MessageKey key = key(connection, id, active.proposedNames());
            return key != null && delete(connection, key);
        });
    }

    private boolean delete(Connection connection, MessageKey key) throws SQLException {
        Dialect dialect = database.dialect(connection);
        return dialect.update(connection, tables.fill(DELETE), statement -> {
                    statement.setInt(1, key.consumer());
                    statement.setObject(2, dialect.id(key.id()));
                })
                > 0;
    }

    @Override
    public SortedMap<String, QuarantineTotal> totals() {
        return within(
                "count quarantined messages",
                (connection, active) -> rows.totals(connection, database.now(connection)));
    }

    private @Nullable MessageKey key(Connection connection, MessageId id, Map<String, Integer> proposed)
            throws SQLException {
        Integer consumer = database.consumer(connection, id.consumer(), proposed);
        return consumer == null ? null : new MessageKey(consumer, StoredId.of(id.value()));
    }

    /** {@inheritDoc} Of the command line, {@code idempotency-cli}. */
    @Override
    public Optional<String> showing(Delivery delivery) {
        return Optional.of(ShowCommand.of(tables, delivery));
    }

    /** Returns the name of its table, for the log. */
    @Override
    public String toString() {
        return "table " + tables.quarantine();
    }

    /** Statements to run in the running transaction. */
    @FunctionalInterface
    private interface Work<T> {
        T run(Connection connection, ActiveTransaction active) throws SQLException;
    }

    private <T> T within(String verb, Work<T> work) {
        return connections.joining(verb, connection -> {
            ActiveTransaction active = ActiveTransaction.of(database);
            active.dependOn(each -> connections.onCurrent("store names", last -> {
                database.storeNames(last, each.proposedNames());
                return true;
            }));
            return work.run(connection, active);
        });
    }
}
