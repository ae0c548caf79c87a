package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The statements of journals in which databases differ. Keys are given sorted. */
interface JournalDialect {

    /**
     * A segment that is to be appended behind a tip.
     *
     * @param next the tip that it makes
     */
    record Append(JournalKey key, JournalTip behind, JournalTip next, JournalSegment.Content content) {}

    /**
     * What became of appends.
     *
     * @param isDone whether all were appended; otherwise none was, and the heads stay locked
     * @param heads the heads as they are: before the appends that were not done; those that do not exist are not among them
     * @param times the times of the segments
     */
    record Appended(boolean isDone, List<JournalHead> heads, Map<JournalKey, Long> times, long now) {}

    /** Segments of a journal, by their versions, with both ends. */
    record Range(JournalKey key, long from, long to) {}

    /**
     * What was purged.
     *
     * @param messages how many messages; 0 if only times that lay ahead were mended
     * @param head the head of the journal, with its new horizon; null if no journal was found
     */
    record Purged(int messages, @Nullable JournalHead head) {

        static final Purged NOTHING = new Purged(0, null);
    }

    /**
     * Locks the heads in the order of their keys and appends all segments, or none if a head is not where its segment begins. Waits for other
     * appends at most the claim timeout. The transaction can be proved to be the same afterwards.
     */
    Appended append(Connection connection, List<Append> appends, Evidence evidence) throws SQLException;

    /** Returns the heads that exist; with {@code isLocking}, locked until the end of the transaction. */
    List<JournalHead> heads(Connection connection, Collection<JournalKey> keys, boolean isLocking) throws SQLException;

    /**
     * Creates the head of a new journal, unless it is there.
     *
     * @param partitions how many partitions the topic has; 0 if nobody says
     */
    void create(Connection connection, JournalKey key, int partitions) throws SQLException;

    /** Returns the journals of a consumer. */
    List<JournalKey> keys(Connection connection, int consumer) throws SQLException;

    /**
     * Reads segments in the order of their versions, a few at a time.
     *
     * @param isLocked whether the head is locked by this transaction, which must then see what was committed before
     */
    void read(Connection connection, Range range, boolean isLocked, Consumer<JournalSegment> each) throws SQLException;

    /** Makes what the running transaction appended final, like {@link Dialect#prove}. */
    void prove(Connection connection, ActiveTransaction active) throws SQLException;

    /** Returns how many of the appended segments are there, committed without a proof. */
    int unproved(Connection connection, ActiveTransaction active) throws SQLException;

    /**
     * Deletes the oldest segments of one journal of the consumer, the first one from the key given on that has some which are older than the retention:
     * as many as make up the limit, and at least one. Passes over journals that others hold.
     */
    Purged purge(Connection connection, JournalKey from, long retentionMicros, PurgeClock clock, int limit)
            throws SQLException;
}
