package io.idempotency.jdbc;

import io.idempotency.outbox.OutboxStore;
import io.idempotency.outbox.OutboxTotal;
import io.idempotency.outbox.Output;
import io.idempotency.outbox.RefusedOutputs;
import io.idempotency.outbox.Sent;
import io.idempotency.store.IdempotencyException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * Keeps outputs in a table beside those of the stores, on PostgreSQL, MariaDB (10.6 and later) and H2. Give it the data source of the transactions that
 * add outputs. Thread-safe.
 */
public final class JdbcOutbox implements OutboxStore {

    /** So several relays can work at once. */
    private static final int MOST_PARTS_AT_ONCE = 4;

    /** A transaction sends no more outputs when it has so many bytes. */
    private static final long ENOUGH_BYTES = 16 << 20;

    private final DataSource dataSource;
    private final Tables tables;
    private final JdbcTransactions transactions;
    private final Connections connections;
    private final StoreDatabase database;
    private final OutboxRows rows;
    private final RefusedRows refusedRows;
    private final OutboxAnnouncing announcing;
    private volatile boolean arePartsThere;

    private JdbcOutbox(DataSource dataSource, Tables tables) {
        this.dataSource = dataSource;
        this.tables = tables;
        this.transactions = JdbcTransactions.on(dataSource);
        this.connections = new Connections(transactions);
        this.database = new StoreDatabase(tables, StoreDatabase.DEFAULT_CLAIM_TIMEOUT);
        this.rows = new OutboxRows(tables);
        this.refusedRows = new RefusedRows(tables);
        this.announcing = new OutboxAnnouncing(connections, tables);
    }

    /** Returns the outbox with the default table names on the data source. Does not connect yet. */
    public static JdbcOutbox on(DataSource dataSource) {
        return new JdbcOutbox(dataSource, Tables.standard());
    }

    /** Returns an outbox whose table names begin with the prefix. */
    public JdbcOutbox tablePrefix(String prefix) {
        return new JdbcOutbox(dataSource, new Tables(tables.schema(), prefix));
    }

    /** Returns an outbox whose tables are in the schema. */
    public JdbcOutbox schema(String name) {
        return new JdbcOutbox(dataSource, new Tables(name, tables.prefix()));
    }

    @Override
    public void add(List<Output> outputs, Runnable afterCommit) {
        if (outputs.isEmpty()) {
            return;
        }
        boolean isJoining = transactions.isActive();
        if (isJoining) {
            transactions.requireActive();
            Completion.requireUncommitted();
        }
        connections.joining("add an output", connection -> {
            requireOutbox(connection);
            rows.insert(connection, database.dialect(connection), outputs);
            return true;
        });
        if (isJoining) {
            TransactionSynchronizationManager.registerSynchronization(new Afterwards(afterCommit));
        } else {
            afterCommit.run();
        }
    }

    /**
     * Takes no part in the transaction: the outputs are rows like those of the application. Two with the same action are equal, so Spring keeps one for any number of
     * outputs.
     */
    private record Afterwards(Runnable action) implements TransactionSynchronization {

        @Override
        public void afterCompletion(int status) {
            if (status != STATUS_ROLLED_BACK) {
                action.run();
            }
        }
    }

    @Override
    public boolean isWithClaims() {
        return transactions.isActive() && ActiveTransaction.ofThread().anyMatch(ActiveTransaction::isWithClaims);
    }

    /** {@inheritDoc} On PostgreSQL, at most a hundred times a second. */
    @Override
    public void announce() {
        announcing.announce();
    }

    /** {@inheritDoc} On PostgreSQL it takes a connection of the pool, and returns it at the end. The pool must unwrap connections of PostgreSQL's driver. */
    @Override
    public Listening listen(Runnable action) {
        return OutboxListening.start(transactions.target(), tables, action);
    }

    private static void requireOutbox(Connection connection) throws SQLException {
        if (Dialects.nameOf(connection).equals(Dialects.PLAIN)) {
            throw new IdempotencyException("There is no outbox for this database, only for PostgreSQL, MariaDB and H2");
        }
    }

    @Override
    public int relay(int most, Sending sending) {
        createParts();
        return connections.alone("relay outputs", connection -> {
            List<Integer> waiting = rows.waitingParts(connection);
            // Somebody may have emptied the table of parts.
            arePartsThere &= !waiting.isEmpty();
            List<OutboxRows.Row> read = begin(connection, lock(connection, waiting), most, sending);
            if (!read.isEmpty()) {
                Sent sent = sending.await();
                rows.delete(connection, read, sent.acknowledged());
                rows.refuse(connection, read, sent.refused());
            }
            return read.size();
        });
    }

    /** Begins to send the first outputs of each part: up to an equal number of each, and equal bytes. Returns them. */
    private List<OutboxRows.Row> begin(Connection connection, List<Integer> parts, int most, Sending sending)
            throws SQLException {
        List<OutboxRows.Row> read = new ArrayList<>();
        for (int part : parts) {
            List<OutboxRows.Row> first =
                    rows.first(connection, part, Math.max(1, most / parts.size()), ENOUGH_BYTES / parts.size());
            if (!first.isEmpty()) {
                sending.add(first.stream().map(OutboxRows.Row::output).toList());
                read.addAll(first);
            }
        }
        return read;
    }

    /** Locks parts of those given, beginning anywhere, so that two relays seldom want the same. */
    private List<Integer> lock(Connection connection, List<Integer> waiting) throws SQLException {
        List<Integer> turned = new ArrayList<>(waiting);
        Collections.rotate(turned, ThreadLocalRandom.current().nextInt(PARTS));
        for (int i = 0; i < turned.size(); i += MOST_PARTS_AT_ONCE) {
            List<Integer> some = turned.subList(i, Math.min(i + MOST_PARTS_AT_ONCE, turned.size()));
            List<Integer> locked = rows.lock(connection, some);
            if (!locked.isEmpty()) {
                return locked;
            }
        }
        return List.of();
    }

    private void createParts() {
        if (!arePartsThere) {
            List<Integer> missing = connections.onCurrent("look at the outbox", connection -> {
                requireOutbox(connection);
                List<Integer> there = rows.parts(connection);
                return IntStream.range(0, PARTS)
                        .boxed()
                        .filter(part -> !there.contains(part))
                        .toList();
            });
            for (int part : missing) {
                createPart(part);
            }
            arePartsThere = true;
        }
    }

    private void createPart(int part) {
        connections.alone("prepare the outbox", connection -> {
            try {
                rows.insertPart(connection, part);
            } catch (SQLException e) {
                if (!SqlFailures.isDuplicateKey(e)) {
                    throw e;
                }
                // Another relay was faster.
                connection.rollback();
            }
            return true;
        });
    }

    @Override
    public OutboxTotal total() {
        return connections.onCurrent("count outputs", connection -> {
            OutboxRows.Count waiting = rows.countWaiting(connection);
            Duration age = waiting.outputs() == 0
                    ? Duration.ZERO
                    : Duration.of(Math.max(0, database.now(connection) - waiting.oldest()), ChronoUnit.MICROS);
            return new OutboxTotal(waiting.outputs(), age, refusedRows.count(connection));
        });
    }

    @Override
    public RefusedOutputs refused() {
        return new JdbcRefusedOutputs(connections, database, refusedRows);
    }

    /** Returns the name of its table, for the log. */
    @Override
    public String toString() {
        return "table " + tables.qualifiedPrefix() + "outbox";
    }
}
