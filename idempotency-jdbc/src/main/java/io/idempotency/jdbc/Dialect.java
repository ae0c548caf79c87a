package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The statements in which databases differ. Keys are given sorted and without copies; rows that a method does not return are
 * never taken for granted.
 */
interface Dialect {

    /**
     * The rows that a statement knows.
     *
     * @param grant what the proof knows the transaction by, or this claim, where the database tells it
     */
    record Known(List<Row> rows, @Nullable String grant) {}

    /** Gets ready to prove that the running transaction is still the one that is about to change rows. */
    void prepareProof(Connection connection, Evidence evidence) throws SQLException;

    /** Returns whether the running transaction is the one of the evidence, and nothing of it was rolled back; or makes its commit find that out. */
    boolean isSame(Connection connection, Evidence evidence) throws SQLException;

    /**
     * Inserts the messages that are absent, waiting for others that are inserting them, with a time that lies
     * {@code aheadMicros} after now. Returns the inserted rows as granted; of the others those that it can tell.
     */
    Known insert(Connection connection, List<Arrival> arrivals, State state, long aheadMicros) throws SQLException;

    /**
     * Inserts the messages that are absent, as processed by the claiming transaction, waiting and answering like {@link #insert}. The transaction can
     * be proved to be the same afterwards.
     */
    default Known claim(Connection connection, List<Arrival> arrivals, Evidence evidence) throws SQLException {
        prepareProof(connection, evidence);
        return insert(connection, arrivals, State.processed(1, 0), 0);
    }

    /** Takes over, as processed by the claiming transaction, the rows that are free, and returns all that are there. */
    Known takeOver(Connection connection, List<Arrival> arrivals) throws SQLException;

    /** Returns the rows that are there; until the end of the transaction nobody else changes those that are not settled. */
    List<Row> lock(Connection connection, List<MessageKey> keys) throws SQLException;

    /** Stores the number of a name unless it is stored. Returns whether the number is this name's. */
    boolean insertName(Connection connection, int number, String name) throws SQLException;

    /** Deletes up to {@code limit} rows whose time is longer ago than given, passing over those that others hold. */
    int purge(Connection connection, long olderThanMicros, int limit) throws SQLException;

    /** Returns whether queries of the running transaction show what others have not committed. */
    default boolean isReadingUncommitted(Connection connection) throws SQLException {
        return connection.getTransactionIsolation() == Connection.TRANSACTION_READ_UNCOMMITTED;
    }

    /** Returns the database's clock in microseconds since 1970 UTC. */
    long now(Connection connection) throws SQLException;

    /** Returns an SQL expression for the database's clock in microseconds since 1970 UTC. */
    String clock();

    /** Returns what a 128-bit key is to this database's driver. */
    Object id(UUID id);
}
