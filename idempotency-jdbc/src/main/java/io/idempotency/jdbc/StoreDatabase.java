package io.idempotency.jdbc;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Position;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The database of a store, of either kind: its statements, which are chosen at the first connection, its clock, its isolation, and the numbers of
 * names. Thread-safe.
 */
final class StoreDatabase {

    /** How long a claim waits for another transaction, unless set otherwise. */
    static final Duration DEFAULT_CLAIM_TIMEOUT = Duration.ofSeconds(5);

    private final Tables tables;
    private final Duration claimTimeout;
    private final Names names;
    private final SettledRows settled;
    private volatile @Nullable Dialects dialects;
    private volatile boolean isIsolationSeen;

    StoreDatabase(Tables tables, Duration claimTimeout) {
        this.tables = tables;
        this.claimTimeout = claimTimeout;
        this.names = new Names(tables);
        this.settled = new SettledRows(tables);
    }

    /** Returns the statements that both stores share. */
    Dialect dialect(Connection connection) throws SQLException {
        return dialects(connection).messages();
    }

    /** Returns the statements for messages. */
    MessageDialect messages(Connection connection) throws SQLException {
        return dialects(connection).messages();
    }

    private Dialects dialects(Connection connection) throws SQLException {
        Dialects known = dialects;
        if (known == null) {
            known = Dialects.of(connection, tables, claimTimeout);
            names.waiting(known.messages().waiting());
            dialects = known;
        }
        return known;
    }

    /** Checks the isolation level of the first transaction, so that a pool with a wrong one is refused at once. */
    void lookAtIsolation(Connection connection) throws SQLException {
        if (!isIsolationSeen) {
            requireCommittedReads(connection);
            isIsolationSeen = true;
        }
    }

    /** Refuses READ UNCOMMITTED before an answer depends on a query. MariaDB's driver may need a round trip for it. */
    void requireCommittedReads(Connection connection) throws SQLException {
        if (dialect(connection).isReadingUncommitted(connection)) {
            throw new IdempotencyException(
                    "Messages cannot be claimed at READ UNCOMMITTED, which the pool, the session or the server has as its default:"
                            + " use READ COMMITTED or a stricter isolation level");
        }
    }

    /** Returns whether the numbers of the names are in memory. */
    boolean areKnown(Set<String> wanted) {
        return names.areKnown(wanted);
    }

    /** Stores the proposed numbers of names, as late as possible in the running transaction. */
    void storeNames(Connection connection, Map<String, Integer> proposed) throws SQLException {
        names.store(connection, dialect(connection), proposed);
    }

    /** Returns the number of the consumer, or null if it has none yet. */
    @Nullable
    Integer consumer(Connection connection, String consumer, Map<String, Integer> proposed) throws SQLException {
        return names.find(connection, consumer, proposed);
    }

    /** Returns the numbers of names. New names get a proposed number, to be stored before the commit. */
    Map<String, Integer> numbers(Connection connection, Set<String> wanted, Map<String, Integer> proposed)
            throws SQLException {
        dialect(connection);
        return names.numbers(connection, wanted, proposed);
    }

    /** Returns the statements for journals. */
    JournalDialect journals(Connection connection) throws SQLException {
        JournalDialect journals = dialects(connection).journals();
        if (journals == null) {
            throw new IdempotencyException(
                    "There are no journals for this database, only for PostgreSQL, MariaDB and H2: use a TableStore");
        }
        return journals;
    }

    Position position(Connection connection, long place, long offset, Map<String, Integer> proposed)
            throws SQLException {
        return names.position(connection, place, offset, proposed);
    }

    /** Returns the names of a journal. */
    JournalPlace place(Connection connection, JournalKey key) throws SQLException {
        Position at = position(connection, key.place(), 0, Map.of());
        // Consumers and streams share one table of names.
        String consumer = position(connection, (long) key.consumer() << Integer.SIZE, 0, Map.of()).stream();
        return new JournalPlace(consumer, at.stream(), at.partition());
    }

    /** Forgets which offsets of a consumer are settled, because one of its messages is to be handled again. */
    void forgetSettled(Connection connection, int consumer) throws SQLException {
        settled.forget(connection, consumer);
    }

    long now(Connection connection) throws SQLException {
        return dialect(connection).now(connection);
    }
}
