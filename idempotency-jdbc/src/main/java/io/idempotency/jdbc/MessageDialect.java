package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

/**
 * The statements about messages in which databases differ. Keys are given sorted and without copies; rows that a method does not return are
 * never taken for granted.
 */
interface MessageDialect extends Dialect {

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

    /** Returns the rows that are there; until the end of the transaction nobody else changes those that are not settled. */
    List<MessageRow> lock(Connection connection, List<MessageKey> keys) throws SQLException;

    /** Deletes up to {@code limit} rows of the consumer whose time is before the one given, the oldest first, passing over those that others hold. */
    int purge(Connection connection, int consumer, long before, int limit) throws SQLException;
}
