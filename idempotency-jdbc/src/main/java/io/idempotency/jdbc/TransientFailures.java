package io.idempotency.jdbc;

import io.idempotency.store.TransientStoreException;
import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLRecoverableException;
import java.sql.SQLTransientException;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.Set;

/** Tells failures that say nothing about the message from those that do (rule 1.4 of the protocol). */
final class TransientFailures {

    /** Serialization, deadlock, lock timeout, too many connections, and the like; H2's own numbers last. */
    private static final Set<String> STATES = Set.of(
            "40001", // serialization failure, deadlock
            "40P01", // deadlock, PostgreSQL
            "55P03", // lock timeout, PostgreSQL
            "25P03", // idle in transaction for too long, PostgreSQL
            "53300", // too many connections, PostgreSQL
            "HYT00", // lock timeout, H2
            "90131", // concurrent update, H2
            "90067", // connection broken, H2
            "90098", // database closed, H2
            "90121"); // database closed, H2

    /** MariaDB and MySQL: row changed since the snapshot, lock wait timeout, deadlock; the first two come as HY000. */
    private static final Set<Integer> MARIADB_CODES = Set.of(1020, 1205, 1213);

    /**
     * What HikariCP throws, without a state, from any use of a connection that it has seen break: also from the rollback that
     * Spring tries after the real failure, whose exception then replaces that one.
     */
    private static final String POOL_SAYS_CLOSED = "Connection is closed";

    private TransientFailures() {}

    static boolean isTransient(Throwable failure) {
        Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        Deque<Throwable> open = new ArrayDeque<>();
        open.add(failure);
        while (!open.isEmpty()) {
            Throwable next = open.pop();
            if (!seen.add(next)) {
                continue;
            }
            if (isTransientItself(next)) {
                return true;
            }
            Throwable cause = next.getCause();
            if (cause != null) {
                open.add(cause);
            }
            if (next instanceof SQLException sql && sql.getNextException() != null) {
                open.add(sql.getNextException());
            }
        }
        return false;
    }

    private static boolean isTransientItself(Throwable failure) {
        return failure instanceof TransientStoreException
                || failure instanceof InterruptedException
                || failure instanceof SQLTransientException
                || failure instanceof SQLRecoverableException
                || failure instanceof SQLNonTransientConnectionException
                || (failure instanceof SQLException sql && isTransientState(sql));
    }

    private static boolean isTransientState(SQLException failure) {
        String state = failure.getSQLState();
        if (state == null) {
            return POOL_SAYS_CLOSED.equals(failure.getMessage());
        }
        return STATES.contains(state)
                || state.startsWith("08")
                || state.startsWith("57P0")
                || (MARIADB_CODES.contains(failure.getErrorCode()) && (state.equals("HY000") || state.equals("40001")));
    }
}
