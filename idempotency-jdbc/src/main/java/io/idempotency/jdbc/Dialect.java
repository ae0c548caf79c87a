package io.idempotency.jdbc;

import io.idempotency.store.TransactionLostException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.UUID;

/**
 * The statements in which databases differ, whatever is kept in them: of the proof, of names, of waiting and of the clock. Those about messages are in
 * {@link MessageDialect}, those about journals in {@link JournalDialect}.
 */
interface Dialect {

    /** What becomes of claims whose transaction is another one by now. */
    @FunctionalInterface
    interface Remains {

        /** Makes them final in the running transaction, if all of them are there; returns whether they are. */
        boolean settle(Connection connection) throws SQLException;
    }

    /** Gets ready to prove that the running transaction is still the one that is about to change rows. */
    void prepareProof(Connection connection, Evidence evidence) throws SQLException;

    /**
     * Makes what the running transaction claimed final, or lets its commit do so. If somebody has committed it early, all of it is there, and the
     * active transaction is told.
     *
     * @throws TransactionLostException if not all is there: the transaction was rolled back, if only to a savepoint
     */
    void prove(Connection connection, ActiveTransaction active, Remains remains) throws SQLException;

    /** Sets the parameters of a statement. */
    @FunctionalInterface
    interface Parameters {
        void set(PreparedStatement statement) throws SQLException;
    }

    /**
     * Runs an update that is part of the proof, or follows the transaction. It waits for locks at most the claim timeout, where the database can be
     * told so. Returns how many rows it found.
     */
    int change(Connection connection, Evidence evidence, String sql, Parameters parameters) throws SQLException;

    /** Stores the number of a name unless it is stored. Returns whether the number is this name's. */
    boolean insertName(Connection connection, int number, String name) throws SQLException;

    /**
     * Returns what is to stand before an update that may wait for a row or for a table, so that it waits at most the claim timeout; nothing where that is
     * bounded in another way.
     */
    default String beforeWaiting() {
        return "";
    }

    /** Returns how a query waits at most the claim timeout for a row or for a table. */
    default Waiting waiting() {
        return new Waiting(beforeWaiting());
    }

    /** Returns whether queries of the running transaction show what others have not committed. */
    default boolean isReadingUncommitted(Connection connection) throws SQLException {
        return connection.getTransactionIsolation() == Connection.TRANSACTION_READ_UNCOMMITTED;
    }

    /** Returns the database's clock in microseconds since 1970 UTC. */
    long now(Connection connection) throws SQLException;

    /** Returns an SQL expression for the database's clock in microseconds since 1970 UTC. */
    String clock();

    /** Returns the clause with which an ordered query has its first rows only. */
    default String first(int rows) {
        return "fetch first " + rows + " rows only";
    }

    /** Returns what a 128-bit key is to this database's driver. */
    Object id(UUID id);
}
