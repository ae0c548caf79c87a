package io.idempotency.jdbc;

import io.idempotency.store.TransactionLostException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.UUID;

/**
 * The statements that differ between databases and serve both stores: the proof, names, waiting and the clock. {@link MessageDialect} adds those about
 * messages, {@link JournalDialect} has those about journals.
 */
interface Dialect {

    /** Settles claims after somebody has ended their transaction. */
    @FunctionalInterface
    interface Remains {

        /** Makes the claims final in the running transaction, if all of them exist. Returns whether they do. */
        boolean settle(Connection connection) throws SQLException;
    }

    /** Prepares the proof, before the running transaction changes rows. */
    void prepareProof(Connection connection, Evidence evidence) throws SQLException;

    /**
     * Makes the claims of the running transaction final, or lets its commit do so. If all exist because somebody committed them early, notes that
     * in the active transaction.
     *
     * @throws TransactionLostException if a claim is missing: the transaction was rolled back, if only to a savepoint
     */
    void prove(Connection connection, ActiveTransaction active, Remains remains) throws SQLException;

    /** Sets the parameters of a statement. */
    @FunctionalInterface
    interface Parameters {
        void set(PreparedStatement statement) throws SQLException;
    }

    /**
     * Runs an update that is part of the proof, or follows the transaction. It waits for locks at most the claim timeout, if the database can bound
     * that. Returns how many rows it found.
     */
    int change(Connection connection, Evidence evidence, String sql, Parameters parameters) throws SQLException;

    /** Runs an update that waits for rows and tables at most the claim timeout. Returns how many rows it found. */
    int update(Connection connection, String sql, Parameters parameters) throws SQLException;

    /** Stores the number of a name unless it is stored. Returns whether the number now belongs to this name. */
    boolean insertName(Connection connection, int number, String name) throws SQLException;

    /**
     * Returns a prefix for an update, so that it waits for rows and tables at most the claim timeout. It is empty if the wait is bounded in another
     * way.
     */
    default String beforeWaiting() {
        return "";
    }

    /** Returns how a query is bounded to wait for a row or a table at most the claim timeout. */
    default Waiting waiting() {
        return new Waiting(beforeWaiting());
    }

    /** Returns the clause that makes a query see all commits before its lock, at every isolation level; empty if the query does so without it. */
    default String currentRead() {
        return "";
    }

    /** Returns whether queries of the running transaction show uncommitted rows of others. */
    default boolean isReadingUncommitted(Connection connection) throws SQLException {
        return connection.getTransactionIsolation() == Connection.TRANSACTION_READ_UNCOMMITTED;
    }

    /** Returns the database's clock in microseconds since 1970 UTC. */
    long now(Connection connection) throws SQLException;

    /** Returns an SQL expression for the database's clock in microseconds since 1970 UTC. */
    String clock();

    /** Returns an SQL expression for the present time in microseconds, to be stored in a row. Reads the clock for it if the database has no such expression. */
    default String stamp(Connection connection) throws SQLException {
        return clock();
    }

    /** Returns the clause that limits an ordered query to its first rows. */
    default String first(int rows) {
        return "fetch first " + rows + " rows only";
    }

    /** Returns a 128-bit key as a parameter for this database's driver. */
    Object id(UUID id);
}
