package io.idempotency.jdbc;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.TransactionLostException;
import io.idempotency.store.TransientStoreException;
import java.sql.SQLException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Makes the library's own exceptions out of the driver's. */
final class SqlFailures {

    /** A table does not exist: PostgreSQL, the standard with MariaDB and HSQLDB, H2. */
    private static final Set<String> NO_TABLE = Set.of("42P01", "42S02", "42501", "42S03", "42S04", "3F000", "90079");

    /** A column is missing or of another type than the dialect expects. */
    private static final Set<String> OTHER_SHAPE =
            Set.of("42703", "42804", "42S22", "42883", "22018", "42846", "42P10");

    /** Where the state only says that a constraint is violated: MariaDB and MySQL twice, Oracle, SQL Server twice, Firebird twice. */
    private static final Set<Integer> DUPLICATE_KEYS = Set.of(1062, 1586, 1, 2627, 2601, 335544665, 335544349);

    /** PostgreSQL takes no statement any more but a rollback. */
    static final String ABORTED = "25P02";

    private SqlFailures() {}

    /** Returns what to throw for a failure of ours to do what the verb says, such as "claim". */
    static IdempotencyException translated(String verb, Throwable failure) {
        if (failure instanceof IdempotencyException ours) {
            return ours;
        }
        if (TransientFailures.isTransient(failure)) {
            return new TransientStoreException(
                    "Could not " + verb + " for now, run it again in a new transaction: " + failure.getMessage(),
                    failure);
        }
        SQLException sql = sqlIn(failure);
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
                            + ": a table is missing or out of reach. Create the tables by Schema.migrate() or"
                            + " run the text of Schema.script(); is the schema or table prefix another one? "
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

    /** Returns what to throw instead of the commit of a transaction that was set to roll back, although the work in it returned. */
    static TransactionLostException rollbackOnly(@Nullable Throwable first) {
        String message = "The transaction was set to roll back, so it is not committed although its work returned: a"
                + " @Transactional method that was called within it has probably thrown what its caller then caught"
                + firstAndWayOut(first);
        return first == null ? new TransactionLostException(message) : new TransactionLostException(message, first);
    }

    private static String firstAndWayOut(@Nullable Throwable first) {
        return (first == null ? ". " : ". What failed first is " + first + ". ")
                + "Without a transaction around it that was no failure of the handler. Let the exception leave, or run what"
                + " may fail in a transaction of its own (REQUIRES_NEW), or look before you write (on conflict do nothing)";
    }

    private static @Nullable SQLException sqlIn(@Nullable Throwable failure) {
        for (Throwable next = failure; next != null; next = next.getCause()) {
            if (next instanceof SQLException sql) {
                return sql;
            }
        }
        return null;
    }

    /** Tells a duplicate key from other violated constraints, which stay violated when the work is run again. */
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

    /** Returns what to throw where another transaction was faster to insert a message. */
    static TransientStoreException faster(SQLException duplicateKey) {
        return new TransientStoreException(
                "Another transaction has just stored one of the messages, and this one cannot see it; run it again",
                duplicateKey);
    }
}
