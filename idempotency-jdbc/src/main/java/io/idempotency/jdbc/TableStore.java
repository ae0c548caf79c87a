package io.idempotency.jdbc;

import io.idempotency.store.Claim;
import io.idempotency.store.ClaimLostException;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.LeaseStore;
import io.idempotency.store.MessageId;
import io.idempotency.store.Processed;
import io.idempotency.store.Transactions;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.transaction.PlatformTransactionManager;

/**
 * Remembers messages in a table, one row each. For positions of any kind, any partition and every level.
 *
 * <p>Claims take part in the transaction that is active on the data source, Spring's or that of {@link JdbcTransactions}.
 * PostgreSQL takes one statement for any number of new messages and one more if some are known (two more for a single message); the first transactions that
 * meet a consumer or a stream also look up its number. Leases take transactions of their own.
 *
 * <p>The tables are those of {@link Schema}. PostgreSQL, MariaDB and H2 have statements of their own; every other database
 * gets plain ones, and the log says so. Transactions at READ UNCOMMITTED are refused. Thread-safe.
 */
public final class TableStore implements LeaseStore {

    /** How long a claim waits for another transaction that claims the same message, unless set otherwise. */
    public static final Duration DEFAULT_CLAIM_TIMEOUT = StoreDatabase.DEFAULT_CLAIM_TIMEOUT;

    private final JdbcTransactions transactions;
    private final Connections connections;
    private final StoreDatabase database;
    private final MessageTable table;
    private final TableClaims claims;
    private final TableLeases leases;
    private final MessagePurge purge;

    private TableStore(Builder builder) {
        this.transactions = builder.transactions();
        this.connections = new Connections(transactions);
        Tables tables = new Tables(builder.schema, builder.tablePrefix);
        this.database = new StoreDatabase(tables, builder.claimTimeout);
        this.table = new MessageTable(database, tables);
        this.claims = new TableClaims(table, connections);
        this.leases = new TableLeases(table, connections);
        this.purge = new MessagePurge(database);
    }

    /** Returns a store with the default settings on the data source. */
    public static TableStore on(DataSource dataSource) {
        return builder(dataSource).build();
    }

    /** Returns a builder with the default settings on the data source. */
    public static Builder builder(DataSource dataSource) {
        return new Builder(dataSource);
    }

    /**
     * {@inheritDoc} Stores the names of consumers and topics that are met for the first time: within the claims, all that meet a new name at once
     * would wait for each other, at SERIALIZABLE on MariaDB in circles that it does not see.
     */
    @Override
    public void prepare(List<Delivery> deliveries) {
        if (table.areNamed(deliveries) || JdbcTransactions.isAnyActive()) {
            return;
        }
        connections.alone("store names", connection -> {
            Map<String, Integer> proposed = new HashMap<>();
            database.numbers(connection, MessageLookup.namesIn(deliveries), proposed);
            database.storeNames(connection, proposed);
            return true;
        });
    }

    @Override
    public List<Claim> claim(List<Delivery> deliveries) {
        ActiveTransaction active = activeTransaction();
        return deliveries.isEmpty() ? List.of() : claims.claim(active, deliveries);
    }

    @Override
    public void quarantine(Claim claim) {
        if (!claim.isGranted()) {
            throw new IdempotencyException(
                    "Only a granted message can be quarantined, not one that is " + claim.status());
        }
        boolean isOwned = connections.joining("quarantine a message", connection -> {
            ActiveTransaction active = activeTransaction();
            claims.prove(active);
            return leases.quarantine(connection, claim, active);
        });
        if (!isOwned) {
            throw new ClaimLostException("quarantine", List.of(claim));
        }
    }

    @Override
    public Optional<Processed> find(MessageId id) {
        Map<String, Integer> proposed =
                transactions.isActive() ? ActiveTransaction.of(database).proposedNames() : new HashMap<>();
        return connections.onCurrent("find a message", connection -> {
            MessageKey key = key(connection, id, proposed);
            Optional<MessageRow> row = key == null ? Optional.empty() : table.find(connection, key);
            return row.isPresent() && (row.get().state().isSettled() || isClaimedHere(row.get()))
                    ? Optional.of(table.processed(connection, row.get(), proposed))
                    : Optional.empty();
        });
    }

    private boolean isClaimedHere(MessageRow row) {
        return transactions.isActive()
                && ActiveTransaction.of(database).evidence().isClaimed(row);
    }

    @Override
    public boolean forget(MessageId id) {
        return connections.joining("forget a message", connection -> {
            ActiveTransaction active = activeTransaction();
            MessageKey key = key(connection, id, active.proposedNames());
            if (key == null || !table.delete(connection, key)) {
                return false;
            }
            active.evidence().deleted(key);
            return true;
        });
    }

    /**
     * {@inheritDoc} The time given is noted in the tables for the consumers that came to this store, beside their names; a shorter one than is noted has
     * no effect. All consumers for which any application has noted one are purged.
     */
    @Override
    public int purge(Duration olderThan, int limit) {
        table.retentions().say(connections, StoredTime.micros(olderThan));
        return connections.alone(
                "purge messages",
                connection -> purge.purge(connection, table.retentions().all(connection), limit));
    }

    @Override
    public List<Claim> lease(List<Delivery> deliveries, Duration length) {
        return leases.lease(deliveries, length);
    }

    @Override
    public List<Claim> renew(List<Claim> leased, Duration length) {
        return leases.renew(leased, length);
    }

    @Override
    public void complete(List<Claim> leased) {
        leases.complete(leased);
    }

    @Override
    public void release(List<Claim> leased) {
        leases.release(leased);
    }

    @Override
    public Transactions transactions() {
        return transactions;
    }

    private ActiveTransaction activeTransaction() {
        transactions.requireClaimable();
        return ActiveTransaction.of(database);
    }

    private @Nullable MessageKey key(Connection connection, MessageId id, Map<String, Integer> proposed)
            throws SQLException {
        Integer consumer = database.consumer(connection, id.consumer(), proposed);
        return consumer == null ? null : new MessageKey(consumer, MessageKey.idOf(id.value()));
    }

    /** The settings of a table store. */
    public static final class Builder {

        private final DataSource dataSource;
        private @Nullable PlatformTransactionManager transactionManager;
        private String tablePrefix = Tables.DEFAULT_PREFIX;
        private String schema = "";
        private Duration claimTimeout = DEFAULT_CLAIM_TIMEOUT;

        private Builder(DataSource dataSource) {
            this.dataSource = dataSource;
        }

        /** What the names of the tables begin with; {@code idempotency_} by default. */
        public Builder tablePrefix(String prefix) {
            tablePrefix = prefix;
            return this;
        }

        /** The database schema of the tables; the connection's own by default. */
        public Builder schema(String name) {
            schema = name;
            return this;
        }

        /**
         * How long a claim waits for another transaction that claims the same message, before it fails as transient; 5
         * seconds by default.
         */
        public Builder claimTimeout(Duration timeout) {
            claimTimeout = timeout;
            return this;
        }

        /** What begins and ends the transactions of {@link #transactions()}; a manager of the store's own by default. */
        public Builder transactionManager(PlatformTransactionManager manager) {
            transactionManager = manager;
            return this;
        }

        /**
         * Returns the store. Does not connect yet.
         *
         * @throws IdempotencyException if prefix or schema is not a plain identifier, or the timeout is not positive
         */
        public TableStore build() {
            if (claimTimeout.isNegative() || claimTimeout.isZero()) {
                throw new IdempotencyException("The claim timeout must be positive, not " + claimTimeout);
            }
            return new TableStore(this);
        }

        private JdbcTransactions transactions() {
            return transactionManager == null
                    ? JdbcTransactions.on(dataSource)
                    : JdbcTransactions.on(dataSource, transactionManager);
        }
    }
}
