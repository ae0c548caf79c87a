package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The statements about journals that differ between databases. Callers give keys sorted. */
interface JournalDialect {

    /**
     * A segment to append after a tip.
     *
     * @param next the tip after the append
     */
    record Append(JournalKey key, JournalTip behind, JournalTip next, JournalSegment.Content content) {}

    /**
     * The result of appends.
     *
     * @param isDone whether all were appended; otherwise none was, and the heads stay locked
     * @param heads the heads as they are now; without those that do not exist
     * @param times the times of the segments
     */
    record Appended(boolean isDone, List<JournalHead> heads, Map<JournalKey, Long> times, long now) {}

    /** A range of segments of a journal, by version, both ends included. */
    record Range(JournalKey key, long from, long to) {}

    /**
     * The result of a purge.
     *
     * @param messages how many messages were forgotten; 0 if only times in the future were corrected
     * @param head the head of the journal, with its new horizon; null if no journal was found
     * @param carried the quarantined messages that the purge appended, or null
     */
    record Purged(
            int messages,
            @Nullable JournalHead head,
            @Nullable Append carried) {

        static final Purged NOTHING = new Purged(0, null, null);
    }

    /**
     * Locks the heads in the order of their keys and appends all segments, or none if a head is not where its segment begins. Waits for other
     * appends at most the claim timeout. Adds evidence for the proof.
     */
    Appended append(Connection connection, List<Append> appends, Evidence evidence) throws SQLException;

    /** Returns the heads that exist; with {@code isLocking}, locked until the end of the transaction. */
    List<JournalHead> heads(Connection connection, Collection<JournalKey> keys, boolean isLocking) throws SQLException;

    /**
     * Creates the head of a new journal, unless it is there.
     *
     * @param partitions how many partitions the topic has; 0 if unknown
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

    /** Makes the appends of the running transaction final, like {@link Dialect#prove}. */
    void prove(Connection connection, ActiveTransaction active) throws SQLException;

    /** Returns how many of the appended segments exist, committed without a proof. */
    int unproved(Connection connection, ActiveTransaction active) throws SQLException;

    /**
     * Deletes the oldest segments of one journal: the first journal of the consumer, from the given key on, that has segments older than the retention.
     * Deletes as many as the limit allows, at least one. If the journal has archives, deletes the oldest one as a whole. Skips journals that others have
     * locked.
     */
    Purged purge(Connection connection, JournalKey from, long retentionMicros, PurgeClock clock, int limit)
            throws SQLException;

    /** Returns the queries for archives. */
    ArchiveRows archives();
}
