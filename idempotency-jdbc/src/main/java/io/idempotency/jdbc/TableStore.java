package io.idempotency.jdbc;

import io.idempotency.store.Claim;
import io.idempotency.store.ClaimLostException;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.LeaseStore;
import io.idempotency.store.MessageId;
import io.idempotency.store.Processed;
import io.idempotency.store.StoredId;
import io.idempotency.store.StoredMessages;
import io.idempotency.store.Transactions;
import io.idempotency.store.UnjudgedStatistics;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Remembers messages in a table, one row each. It serves every level, and detects duplicates in any partition, and of messages without a position.
 *
 * <p>Claims join the transaction that is active on the data source, of Spring or of {@link JdbcTransactions}. On PostgreSQL a claim takes one statement for any
 * number of new messages, and one more if some are known (two more for a single message). The first transactions of a consumer or a stream also look up
 * its number. Leases have transactions of their own.
 *
 * <p>The tables are those of {@link Schema}. PostgreSQL, MariaDB and H2 have their own statements. Every other database gets plain ones, and the log says
 * so. Transactions at READ UNCOMMITTED are refused. Thread-safe.
 */
public final class TableStore implements LeaseStore, UnjudgedStatistics {

    /** How long a claim waits for another transaction with the same message, unless set otherwise. */
    public static final Duration DEFAULT_CLAIM_TIMEOUT = StoreDatabase.DEFAULT_CLAIM_TIMEOUT;

    private final JdbcTransactions transactions;
    private final Connections connections;
    private final StoreDatabase database;
    private final MessageTable table;
    private final UnjudgedRecords unjudged;
    private final TableHorizons horizons;
    private final TableClaims claims;
    private final TableLeases leases;
    private final MessagePurge purge;
    private final TableMessages messages;

    TableStore(TableStoreBuilder builder) {
        this.transactions = builder.transactions();
        this.connections = new Connections(transactions);
        Tables tables = builder.tables();
        this.database = new StoreDatabase(tables, builder.claimTimeout());
        this.table = new MessageTable(database, tables);
        this.unjudged = new UnjudgedRecords(builder.unjudged());
        this.horizons = new TableHorizons(table, tables, unjudged, builder.nanoTime());
        this.claims = new TableClaims(table, horizons, connections);
        this.leases = new TableLeases(table, horizons, connections);
        this.purge = new MessagePurge(database);
        this.messages = new TableMessages(transactions, connections, table, tables);
    }

    /** Returns a store with the default settings on the data source. */
    public static TableStore on(DataSource dataSource) {
        return builder(dataSource).build();
    }

    /** Returns a builder with the default settings on the data source. */
    public static TableStoreBuilder builder(DataSource dataSource) {
        return new TableStoreBuilder(dataSource);
    }

    /**
     * {@inheritDoc} Stores new names of consumers and topics. Otherwise all claims that meet a new name at once would wait for each other; at
     * SERIALIZABLE on MariaDB that is a deadlock that it does not detect.
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
    public void leave(String consumer, String stream, int partition) {
        horizons.leave(consumer, stream, partition);
    }

    @Override
    public void register(String consumer) {
        table.retentions().met(consumer);
    }

    @Override
    public void anyOrder(String consumer) {
        table.anyOrder(consumer);
    }

    /** {@inheritDoc} A purger of this store knows it after its first run. */
    @Override
    public Optional<Duration> remembers(String consumer) {
        return table.retentions().known(consumer);
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

    /** {@inheritDoc} One round trip for claims, two for leases. */
    @Override
    public void expire(List<Claim> granted) {
        List<Claim> leased = granted.stream().filter(Claim::isLease).toList();
        if (!leased.isEmpty()) {
            leases.expire(leased);
        }
        if (leased.size() < granted.size()) {
            ActiveTransaction active = activeTransaction();
            connections.onCurrent("expire messages", connection -> {
                claims.expire(connection, active, granted);
                return true;
            });
        }
    }

    @Override
    public void unquarantine(Delivery delivery) {
        connections.joining("take a message out of quarantine", connection -> {
            ActiveTransaction active = activeTransaction();
            claims.prove(active);
            MessageLookup lookup = table.lookup(connection, List.of(delivery), active.proposedNames());
            MessageArrival arrival = lookup.all().iterator().next();
            database.dialect(connection).prepareProof(connection, active.evidence());
            table.unquarantine(connection, arrival);
            active.evidence().outOfQuarantine(arrival.key());
            return true;
        });
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
        return messages.forget(id);
    }

    @Override
    public StoredMessages messages() {
        return messages;
    }

    /**
     * {@inheritDoc} The given time is stored in the tables, beside the names of the consumers that used this store; a time shorter than the stored one has
     * no effect. Purges all consumers that have a stored time, of any application. A quarantined message is remembered as long as the quarantine
     * of these tables has it.
     */
    @Override
    public int purge(Duration olderThan, int limit) {
        table.retentions().say(connections, StoredTime.micros(olderThan));
        MessageDialect.Purged purged;
        do {
            purged = connections.alone(
                    "purge messages",
                    connection -> purge.purge(connection, table.retentions().all(connection), limit));
        } while (purged.forgotten() == 0 && purged.kept() > 0);
        return purged.forgotten();
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

    /** {@inheritDoc} The clock is the database's. */
    @Override
    public Instant now() {
        return StoredTime.instant(connections.onCurrent("read the time", database::now));
    }

    @Override
    public long unjudged(String consumer, Action action) {
        return unjudged.unjudged(consumer, action);
    }

    @Override
    public Transactions transactions() {
        return transactions;
    }

    /** Returns what adopts messages into this store. */
    TableAdoption adoption(Optional<Duration> retention, int maxConsumers) {
        return new TableAdoption(connections, table, retention, maxConsumers);
    }

    private ActiveTransaction activeTransaction() {
        transactions.requireClaimable();
        return ActiveTransaction.of(database);
    }

    private @Nullable MessageKey key(Connection connection, MessageId id, Map<String, Integer> proposed)
            throws SQLException {
        Integer consumer = database.consumer(connection, id.consumer(), proposed);
        return consumer == null ? null : new MessageKey(consumer, StoredId.of(id.value()));
    }
}
