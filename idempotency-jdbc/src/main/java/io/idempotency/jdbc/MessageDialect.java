package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;

/**
 * The statements about messages that differ between databases. Callers give keys sorted and without duplicates. They never take a row as granted that a
 * method did not return.
 */
interface MessageDialect extends Dialect {

    /**
     * Inserts the absent messages, with a time of {@code aheadMicros} from now. Waits for other transactions that insert them. Returns the inserted
     * rows as granted, and those of the other rows that it has read.
     */
    List<MessageRow> insert(Connection connection, List<MessageArrival> arrivals, MessageState state, long aheadMicros)
            throws SQLException;

    /**
     * Inserts the absent messages as claimed by the running transaction. Waits and answers like {@link #insert}, and adds evidence for the proof. Until
     * the proof, others do not take the rows as processed, even if they are committed.
     */
    default List<MessageRow> claim(Connection connection, List<MessageArrival> arrivals, Evidence evidence)
            throws SQLException {
        prepareProof(connection, evidence);
        return insert(connection, arrivals, MessageState.unproved(1, 0), 0);
    }

    /** Claims the free rows for the running transaction, and returns all rows that exist. */
    List<MessageRow> takeOver(Connection connection, List<MessageArrival> arrivals, Evidence evidence)
            throws SQLException;

    /** Returns the rows that exist, and locks those that are not settled until the end of the transaction. */
    List<MessageRow> lock(Connection connection, List<MessageKey> keys) throws SQLException;

    /**
     * What became of adopted rows.
     *
     * @param adopted how many were inserted
     * @param unsettled how many of the others are not settled
     */
    record Inserted(int adopted, int unsettled) {}

    /**
     * Inserts those of the given rows that are absent, with their own times, and changes no other row. Waits for other transactions that insert them.
     */
    Inserted adopt(Connection connection, List<MessageRow> rows) throws SQLException;

    /**
     * The result of a batch of a purge.
     *
     * @param forgotten how many messages it deleted
     * @param kept how many old messages it kept, because the quarantine has them; they count as new now
     */
    record Purged(int forgotten, int kept) {

        static final Purged NOTHING = new Purged(0, 0);

        Purged and(Purged other) {
            return new Purged(forgotten + other.forgotten, kept + other.kept);
        }

        int all() {
            return forgotten + kept;
        }
    }

    /**
     * Deletes up to {@code limit} rows of the consumer with an earlier time, the oldest first, and raises the horizons of their partitions. Among these, a
     * quarantined row that has an entry in the quarantine gets the time of now instead. Skips rows that others have locked.
     */
    Purged purge(Connection connection, int consumer, long before, int limit) throws SQLException;
}
