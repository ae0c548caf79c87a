package io.idempotency.jdbc;

import io.idempotency.jdbc.ArchiveHead.Span;
import io.idempotency.jdbc.JournalSegment.Kind;
import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** The messages that a new archive will have. What they are read from does not change, so the transactions that read them need not be one. Not thread-safe. */
interface ArchiveSource {

    /**
     * What the archive will cover.
     *
     * @param messages how many messages it will have, or more
     */
    record Contents(Span span, long messages) {}

    /** The newest entry of a message. */
    record Message(long hash, long low, long offset, long at, Kind kind) {}

    /** Returns whether the journal still has what is to be archived. The head is locked. */
    boolean isThere(Connection connection, JournalHead head) throws SQLException;

    /** Reads what has to be known before the first message; returns null if something is gone. */
    @Nullable
    Contents open(Connection connection, ArchiveHash hash) throws SQLException;

    /** Returns the next message in the order of the hashes and then of the second half of the id, each message once; null behind the last one. */
    @Nullable
    Message next(Connection connection) throws SQLException;

    /** Lets the archive take the place of its source, which must be {@link #isThere}. The head is locked. */
    void replace(Connection connection, JournalHead head) throws SQLException;
}
