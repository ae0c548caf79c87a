package io.idempotency.jdbc;

import io.idempotency.store.ClaimTimeoutException;
import io.idempotency.store.ConflictException;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.TransactionLostException;
import io.idempotency.store.TransientStoreException;
import java.sql.SQLException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Translates exceptions of the driver into those of the library. */
final class SqlFailures {

    /** States for a table that is missing or out of reach, of PostgreSQL, MariaDB, HSQLDB, H2 and the standard. */
    private static final Set<String> NO_TABLE = Set.of("42P01", "42S02", "42501", "42S03", "42S04", "3F000", "90079");

    /** States for a column that is missing, or has another type than the dialect expects. */
    private static final Set<String> OTHER_SHAPE =
            Set.of("42703", "42804", "42S22", "42883", "22018", "42846", "42P10");

    /** Numbers of duplicate keys, for databases whose state only says that a constraint is violated: MariaDB and MySQL twice, Oracle, SQL Server twice, Firebird twice. */
    private static final Set<Integer> DUPLICATE_KEYS = Set.of(1062, 1586, 1, 2627, 2601, 335544665, 335544349);

    /** The state of an aborted transaction of PostgreSQL, which accepts only a rollback. */
    static final String ABORTED = "25P02";

    private static final int MARIADB_LOCK_TIMEOUT = 1205;

    private SqlFailures() {}

    /** Returns the exception for a failed action of a store. The verb names the action, such as "claim messages". */
    static IdempotencyException translated(String verb, Throwable failure) {
        if (failure instanceof IdempotencyException ours) {
            return ours;
        }
        SQLException sql = sqlIn(failure);
        if (TransientFailures.isTransient(failure)) {
            String message =
                    "Could not " + verb + " for now; run it again in a new transaction: " + failure.getMessage();
            return sql != null && isLockTimeout(sql)
                    ? new ClaimTimeoutException(message, failure)
                    : new TransientStoreException(message, failure);
        }
        String state = sql == null || sql.getSQLState() == null ? "" : sql.getSQLState();
        if (state.equals(ABORTED)) {
            Throwable first = sql == null ? null : sql.getCause();
            return new TransactionLostException(
                    "Could not " + verb
                            + ": the database has aborted the transaction, probably because a handler caught a"
                            + " database error and went on" + firstAndWayOut(first),
                    failure);
        }
        if (NO_TABLE.contains(state)) {
            return new MissingTableException(
                    "Could not " + verb
                            + ": a table is missing or out of reach. Create the tables by Schema.migrate(), or"
                            + " run the text of Schema.script(), or check the schema name and the table prefix: "
                            + failure.getMessage(),
                    failure);
        }
        if (OTHER_SHAPE.contains(state)) {
            return new IdempotencyException(
                    "Could not " + verb + ": the tables are not those of this database's Schema.script(): "
                            + failure.getMessage(),
                    failure);
        }
        return new IdempotencyException("Could not " + verb + ": " + failure.getMessage(), failure);
    }

    /** Returns the exception for a transaction that was marked for rollback although its work returned. */
    static TransactionLostException rollbackOnly(@Nullable Throwable first) {
        String message =
                "The transaction was marked for rollback, so it is not committed although its work returned. Probably a"
                        + " @Transactional method within it has thrown an exception that its caller caught"
                        + firstAndWayOut(first);
        return first == null ? new TransactionLostException(message) : new TransactionLostException(message, first);
    }

    private static String firstAndWayOut(@Nullable Throwable first) {
        return (first == null ? ". " : ". The first failure was " + first + ". ")
                + "Let the exception leave the handler, or run the part that"
                + " may fail in a transaction of its own (REQUIRES_NEW), or look before you write (on conflict do nothing)";
    }

    /** Returns whether a statement waited in vain for a lock, on PostgreSQL, H2 or MariaDB. */
    private static boolean isLockTimeout(SQLException failure) {
        String state = failure.getSQLState();
        return "55P03".equals(state)
                || "HYT00".equals(state)
                || ("HY000".equals(state) && failure.getErrorCode() == MARIADB_LOCK_TIMEOUT);
    }

    private static @Nullable SQLException sqlIn(@Nullable Throwable failure) {
        for (Throwable next = failure; next != null; next = next.getCause()) {
            if (next instanceof SQLException sql) {
                return sql;
            }
        }
        return null;
    }

    /** Returns whether the failure is a duplicate key. Other violated constraints stay violated when the work is run again. */
    static boolean isDuplicateKey(SQLException failure) {
        for (Throwable next = failure; next != null; next = next.getCause()) {
            if (next instanceof SQLException sql
                    && ("23505".equals(sql.getSQLState())
                            || ("23000".equals(sql.getSQLState()) && DUPLICATE_KEYS.contains(sql.getErrorCode())))) {
                return true;
            }
        }
        return false;
    }

    /** Returns the exception for an insert of a message in which another transaction was faster. */
    static TransientStoreException faster(SQLException duplicateKey) {
        return new TransientStoreException(
                "Another transaction has just stored one of the messages, and this one cannot see it; run it again",
                duplicateKey);
    }

    /** Returns the refusal to forget a message that is in quarantine. */
    static IdempotencyException quarantined(MessageId id) {
        return new ConflictException(id + " is in quarantine, so it is not forgotten: replay it, or drop it");
    }
}
