package io.idempotency.jdbc;

import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.ResultStore;
import io.idempotency.store.StoredId;
import io.idempotency.store.StoredResult;
import io.idempotency.store.TransientStoreException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;

/**
 * Keeps results in a table beside those of the stores, on every database. Give it the data source, prefix and schema of the store. Immutable and thread-safe.
 *
 * <p>Results are kept as long as messages of their consumer are remembered, if a purger deletes them:
 *
 * <pre>{@code
 * Purger.of(store).afterwards(results::purge).start();
 * }</pre>
 */
public final class JdbcResults implements ResultStore {

    /** The most bytes of a result unless set otherwise: a mebibyte. */
    public static final int DEFAULT_MOST_BYTES = 1 << 20;

    private static final int BATCH_SIZE = 1000;

    private final DataSource dataSource;
    private final Tables tables;
    private final int mostBytes;
    private final JdbcTransactions transactions;
    private final Connections connections;
    private final StoreDatabase database;
    private final MessageTable messages;
    private final ResultRows rows;

    private JdbcResults(DataSource dataSource, Tables tables, int mostBytes) {
        this.dataSource = dataSource;
        this.tables = tables;
        this.mostBytes = mostBytes;
        this.transactions = JdbcTransactions.on(dataSource);
        this.connections = new Connections(transactions);
        this.database = new StoreDatabase(tables, StoreDatabase.DEFAULT_CLAIM_TIMEOUT);
        this.messages = new MessageTable(database, tables);
        this.rows = new ResultRows(tables);
    }

    /** Returns results with the default table names on the data source. Does not connect yet. */
    public static JdbcResults on(DataSource dataSource) {
        return new JdbcResults(dataSource, Tables.standard(), DEFAULT_MOST_BYTES);
    }

    /** Returns results whose table names begin with the prefix. */
    public JdbcResults tablePrefix(String prefix) {
        return new JdbcResults(dataSource, new Tables(tables.schema(), prefix), mostBytes);
    }

    /** Returns results whose tables are in the schema. */
    public JdbcResults schema(String name) {
        return new JdbcResults(dataSource, new Tables(name, tables.prefix()), mostBytes);
    }

    /** Returns results that refuse one with more bytes; a mebibyte by default. */
    public JdbcResults mostBytes(int bytes) {
        return new JdbcResults(dataSource, tables, bytes);
    }

    @Override
    public void put(Claim claim, StoredResult result) {
        if (result.content().length > mostBytes) {
            throw new IdempotencyException("The result " + result + " of " + claim.delivery()
                    + " is too large: it may have " + mostBytes
                    + " bytes. Keep it elsewhere and return where it is, or raise mostBytes");
        }
        requirePuttable(claim);
        if (claim.isLease()) {
            connections.alone("record a result", connection -> {
                rows.put(connection, database.dialect(connection), leased(connection, claim), result);
                return true;
            });
        } else {
            connections.joining("store a result", connection -> {
                rows.put(
                        connection,
                        database.dialect(connection),
                        claimed(connection, claim.delivery().id()),
                        result);
                return true;
            });
        }
    }

    @Override
    public void requirePuttable(Claim claim) {
        if (!claim.isLease()) {
            transactions.requireActive();
        } else if (JdbcTransactions.isAnyActive()) {
            throw new IdempotencyException("A result of " + claim.delivery()
                    + " cannot be recorded while a transaction is active on this thread: it could roll back after the step."
                    + " Call steps outside of transactions");
        }
    }

    @Override
    public void clear(Claim lease) {
        connections.alone("delete results", connection -> {
            rows.forget(connection, database.dialect(connection), List.of(leased(connection, lease)));
            return true;
        });
    }

    /** Locks the lease and returns its key. The lease may have been renewed since the claim. */
    private MessageKey leased(Connection connection, Claim claim) throws SQLException {
        MessageKey key = messages.lookup(connection, List.of(claim.delivery()), new HashMap<>())
                .keys()
                .get(0);
        for (MessageRow row : database.messages(connection).lock(connection, List.of(key))) {
            MessageState state = row.state();
            if (state.status() == MessageState.Status.LEASED
                    && !state.isUnproved()
                    && state.attempt()
                            == MessageState.leased(claim.attempt(), 0).attempt()
                    && row.at() >= StoredTime.micros(claim.until())) {
                return key;
            }
        }
        throw new TransientStoreException(
                "The lease of " + claim.delivery() + " for attempt " + claim.attempt()
                        + " has ended and is somebody else's, so the result is not recorded. Let a handler be shorter than its lease, or renew it");
    }

    private MessageKey claimed(Connection connection, MessageId id) throws SQLException {
        ActiveTransaction active = ActiveTransaction.of(database);
        MessageKey key = messages.lookup(
                        connection, List.of(new Delivery(id, Position.UNKNOWN)), active.proposedNames())
                .keys()
                .get(0);
        if (!active.proposedNames().isEmpty()) {
            active.dependOn(each -> connections.onCurrent("store names", last -> {
                database.storeNames(last, each.proposedNames());
                return true;
            }));
        }
        return key;
    }

    @Override
    public List<StoredResult> find(MessageId id) {
        Map<String, Integer> proposed =
                transactions.isActive() ? ActiveTransaction.of(database).proposedNames() : new HashMap<>();
        return connections.onCurrent("find results", connection -> {
            Integer consumer = database.consumer(connection, id.consumer(), proposed);
            Dialect dialect = database.dialect(connection);
            return consumer == null
                    ? List.of()
                    : rows.find(
                            connection,
                            dialect,
                            new MessageKey(consumer, StoredId.of(id.value())),
                            transactions.isActive());
        });
    }

    /**
     * Deletes results that are older than the retention of their consumer, and whose message a {@link TableStore} no longer remembers, in short transactions.
     * Returns their number. Those of a consumer without a stored retention are kept, see {@link Purger}.
     *
     * @throws IdempotencyException if a transaction is active on the thread
     */
    public int purge() {
        int purged = 0;
        int batch = BATCH_SIZE;
        while (batch == BATCH_SIZE) {
            batch = connections.alone(
                    "purge results",
                    connection ->
                            rows.purge(connection, database.dialect(connection), database.now(connection), BATCH_SIZE));
            purged += batch;
        }
        return purged;
    }

    /** Returns the name of its table, for the log. */
    @Override
    public String toString() {
        return "table " + tables.qualifiedPrefix() + "result";
    }
}
