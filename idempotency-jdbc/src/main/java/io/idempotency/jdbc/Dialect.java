package io.idempotency.jdbc;

import io.idempotency.store.TransactionLostException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;

/**
 * The statements in which databases differ. Keys are given sorted and without copies; rows that a method does not return are
 * never taken for granted.
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

    /**
     * Inserts the messages that are absent, waiting for others that are inserting them, with a time that lies
     * {@code aheadMicros} after now. Returns the inserted rows as granted; of the others those that it can tell.
     */
    List<MessageRow> insert(Connection connection, List<MessageArrival> arrivals, MessageState state, long aheadMicros)
            throws SQLException;

    /**
     * Inserts the messages that are absent, as claimed by the running transaction, waiting and answering like {@link #insert}. It can be proved
     * afterwards, and until then, others do not take the rows for processed, even if they are committed.
     */
    default List<MessageRow> claim(Connection connection, List<MessageArrival> arrivals, Evidence evidence)
            throws SQLException {
        prepareProof(connection, evidence);
        return insert(connection, arrivals, MessageState.unproved(1, 0), 0);
    }

    /** Takes over, as claimed by the running transaction, the rows that are free, and returns all that are there. */
    List<MessageRow> takeOver(Connection connection, List<MessageArrival> arrivals, Evidence evidence)
            throws SQLException;

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

    /** Returns the rows that are there; until the end of the transaction nobody else changes those that are not settled. */
    List<MessageRow> lock(Connection connection, List<MessageKey> keys) throws SQLException;

    /** Stores the number of a name unless it is stored. Returns whether the number is this name's. */
    boolean insertName(Connection connection, int number, String name) throws SQLException;

    /** Deletes up to {@code limit} rows of the consumer whose time is before the one given, the oldest first, passing over those that others hold. */
    int purge(Connection connection, int consumer, long before, int limit) throws SQLException;

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
