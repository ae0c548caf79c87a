package io.idempotency.jdbc;

import io.idempotency.store.TransientStoreException;
import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLRecoverableException;
import java.sql.SQLTimeoutException;
import java.sql.SQLTransientConnectionException;
import java.sql.SQLTransientException;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.CannotGetJdbcConnectionException;
import org.springframework.transaction.CannotCreateTransactionException;

/**
 * Recognises transient failures, which say nothing about the message (rules 1.4 and 7.2 of the protocol). State and number of the database count more than
 * the exception class that a driver chose.
 */
final class TransientFailures {

    private static final int MOST_CAUSES = 10_000;

    /**
     * Transient classes of states: lost connections; rollbacks by the database; statements and sessions ended by somebody or by a time limit, which look
     * the same.
     */
    private static final Set<String> CLASSES = Set.of("08", "40", "57");

    /** Transient states besides those classes; H2's own numbers last. */
    private static final Set<String> STATES = Set.of(
            "25006", // read only: a standby, or a server that is closed for writing for a while
            "25P03", // idle in transaction for too long, PostgreSQL
            "25P04", // a transaction that took too long, PostgreSQL
            "53000", // out of resources, PostgreSQL
            "53100", // disk full, PostgreSQL
            "53200", // out of memory, PostgreSQL
            "53300", // too many connections, PostgreSQL
            "55P03", // lock timeout, PostgreSQL
            "58000", // the system around it fails, PostgreSQL
            "58030", // input or output fails, PostgreSQL
            "HYT00", // lock timeout, H2
            "61000", // deadlock, lock timeout or out of something, Oracle
            "70100", // a statement that was ended: by its time limit, or by somebody, MariaDB
            "90131", // concurrent update, H2
            "90067", // connection broken, H2
            "90097", // read only, H2
            "90098", // database closed, H2
            "90121"); // database closed, H2

    /** A rollback because the message violates a constraint: not transient. */
    private static final String CONSTRAINT_AT_COMMIT = "40002";

    private static final String INVALID_TRANSACTION_STATE = "25";

    /** Numbers that are transient together with these states: MariaDB and MySQL, then Oracle. */
    private static final Map<Integer, String> CODES = Map.ofEntries(
            Map.entry(1020, "HY000"), // row changed since the snapshot
            Map.entry(1021, "HY000"), // disk full
            Map.entry(1026, "HY000"), // a file cannot be written
            Map.entry(1037, "HY001"), // out of memory
            Map.entry(1041, "HY000"), // out of memory
            Map.entry(1114, "HY000"), // table full, as on a full disk
            Map.entry(1203, "42000"), // too many connections of one user
            Map.entry(1205, "HY000"), // lock wait timeout
            Map.entry(1206, "HY000"), // too many locks: fewer messages in a transaction need less
            Map.entry(1213, "HY000"), // deadlock
            Map.entry(1226, "42000"), // so much of a user's hour is used up
            Map.entry(1290, "HY000"), // read_only
            Map.entry(1412, "HY000"), // table changed since the snapshot
            Map.entry(1615, "HY000"), // statement has to be prepared again
            Map.entry(1637, "HY000"), // too many transactions
            Map.entry(1836, "HY000"), // read only
            Map.entry(8177, "72000")); // changed since the snapshot, Oracle

    /**
     * The message of HikariCP, without a state, for any use of a broken connection. It also comes from the rollback that Spring tries after the real
     * failure, and then replaces that one.
     */
    private static final String POOL_SAYS_CLOSED = "Connection is closed";

    /** The message of Firebird for a row that another transaction has just deleted; it has no number. */
    private static final String FIREBIRD_SAYS_ERASED = "cannot update erased record";

    private TransientFailures() {}

    static boolean isTransient(Throwable failure) {
        Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        Deque<Throwable> open = new ArrayDeque<>();
        open.add(failure);
        while (!open.isEmpty() && seen.size() < MOST_CAUSES) {
            Throwable next = open.pop();
            if (!seen.add(next)) {
                continue;
            }
            if (isTransientItself(next)) {
                return true;
            }
            Throwable cause = causeOf(next);
            if (cause != null) {
                open.add(cause);
            }
            if (next instanceof SQLException sql && sql.getNextException() != null) {
                open.add(sql.getNextException());
            }
        }
        return false;
    }

    /** Returns the cause; an exception of a handler may throw even here. */
    private static @Nullable Throwable causeOf(Throwable failure) {
        try {
            return failure.getCause();
        } catch (RuntimeException | StackOverflowError | AssertionError broken) {
            return null;
        }
    }

    /**
     * Returns whether the failure itself is transient. One to get a connection or to begin a transaction always is. Spring uses the exception of the
     * latter for savepoints, too, which do not count.
     */
    private static boolean isTransientItself(Throwable failure) {
        return failure instanceof SQLException sql
                ? isTransient(sql)
                : failure instanceof TransientStoreException
                        || failure instanceof InterruptedException
                        || failure instanceof CannotGetJdbcConnectionException
                        || (failure.getClass() == CannotCreateTransactionException.class && !isOfSavepoint(failure));
    }

    /** Returns whether the failure is about a savepoint. That means a transaction in a wrong state: aborted, or ended by {@code setAutoCommit(true)}. */
    private static boolean isOfSavepoint(Throwable failure) {
        return causeOf(failure) instanceof SQLException sql
                && sql.getSQLState() != null
                && sql.getSQLState().startsWith(INVALID_TRANSACTION_STATE);
    }

    private static boolean isTransient(SQLException failure) {
        if (failure instanceof SQLTimeoutException
                || failure instanceof SQLRecoverableException
                || failure instanceof SQLNonTransientConnectionException) {
            return true;
        }
        String state = failure.getSQLState();
        if (state == null || state.isEmpty()) {
            return failure instanceof SQLTransientException || POOL_SAYS_CLOSED.equals(failure.getMessage());
        }
        return isTransientState(state)
                || state.equals(CODES.get(failure.getErrorCode()))
                || isPoolAtItsEnd(failure)
                || String.valueOf(failure.getMessage()).startsWith(FIREBIRD_SAYS_ERASED);
    }

    private static boolean isTransientState(String state) {
        return STATES.contains(state)
                || (state.length() == 5
                        && CLASSES.contains(state.substring(0, 2))
                        && !state.equals(CONSTRAINT_AT_COMMIT));
    }

    /**
     * Returns whether a pool has no connection. It then passes on the state of the last failed attempt to open one. MariaDB's driver uses the same class
     * for every unknown state, also for the {@code 45000} of a trigger; those come with a number of the server.
     */
    private static boolean isPoolAtItsEnd(SQLException failure) {
        return failure instanceof SQLTransientConnectionException && failure.getErrorCode() == 0;
    }
}
