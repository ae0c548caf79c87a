package io.idempotency.testkit.faults;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Locale;
import java.util.Objects;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * A connection that breaks where a scenario wants it. Broken, it answers as one whose socket is gone; the connection behind it has rolled back or committed by
 * then, and goes back to its pool.
 */
final class FaultyConnection implements InvocationHandler {

    private static final String BROKEN = "08006";
    private static final String GONE = "08003";
    private static final String POSTGRESQL_LOCK_TIMEOUT = "55P03";
    private static final String LOCK_TIMEOUT = "HYT00";

    private final Connection delegate;
    private final Probe probe;
    private boolean isBroken;

    private FaultyConnection(Connection delegate, Probe probe) {
        this.delegate = delegate;
        this.probe = probe;
    }

    static Connection of(Connection delegate, Probe probe) {
        return proxy(Connection.class, new FaultyConnection(delegate, probe));
    }

    /** Returns a data source of such connections. */
    static DataSource dataSource(DataSource delegate, Probe probe) {
        return proxy(DataSource.class, (proxy, method, arguments) -> {
            Object result = call(delegate, method, arguments);
            return result instanceof Connection connection ? of(connection, probe) : result;
        });
    }

    static <T> T proxy(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(
                FaultyConnection.class.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
                    if (method.getDeclaringClass() == Object.class) {
                        return switch (method.getName()) {
                            case "equals" -> proxy == arguments[0];
                            case "hashCode" -> System.identityHashCode(proxy);
                            default -> "Faulty " + type.getSimpleName();
                        };
                    }
                    return handler.invoke(proxy, method, arguments);
                }));
    }

    static @Nullable Object call(Object target, Method method, Object @Nullable [] arguments) throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    @Override
    public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] arguments) throws Throwable {
        if (isBroken) {
            return broken(method);
        }
        if (method.getName().equals("commit")) {
            commit(delegate::commit);
            return null;
        }
        Object result = call(delegate, method, arguments);
        return result instanceof Statement statement ? statement((Connection) proxy, statement) : result;
    }

    private @Nullable Object broken(Method method) throws SQLException {
        switch (method.getName()) {
            case "isClosed" -> {
                return true;
            }
            case "isValid" -> {
                return false;
            }
            case "close", "abort" -> {
                if (!delegate.isClosed()) {
                    delegate.setAutoCommit(true);
                    delegate.close();
                }
                return null;
            }
            default -> throw new SQLException("The fault kit has broken this connection", GONE);
        }
    }

    /** Commits, or breaks. */
    private interface Committing {
        void commit() throws Throwable;
    }

    private void commit(Committing committing) throws Throwable {
        if (!probe.enters()) {
            committing.commit();
            return;
        }
        try {
            commitOrBreak(committing);
        } finally {
            probe.leaves();
        }
    }

    private void commitOrBreak(Committing committing) throws Throwable {
        Probe.AtCommit at = probe.commit();
        if (at != Probe.AtCommit.COMMITS) {
            if (at == Probe.AtCommit.BREAKS_AFTER) {
                committing.commit();
            } else {
                delegate.rollback();
            }
            if (at == Probe.AtCommit.DIES) {
                // Spring rolls back then. If that failed, too, its exception would replace the error.
                throw probe.death();
            }
            isBroken = true;
            throw new SQLException(
                    "The fault kit broke the connection "
                            + (at == Probe.AtCommit.BREAKS_AFTER ? "after the commit" : "before the commit"),
                    BROKEN);
        }
        committing.commit();
    }

    private Statement statement(Connection connection, Statement statement) {
        Class<? extends Statement> type = statement instanceof CallableStatement
                ? CallableStatement.class
                : statement instanceof PreparedStatement ? PreparedStatement.class : Statement.class;
        return proxy(type, (proxy, method, arguments) -> {
            if (isBroken && !method.getName().equals("close")) {
                throw new SQLException("The fault kit has broken this connection", GONE);
            }
            if (method.getName().equals("getConnection")) {
                return connection;
            }
            if (isCommit(method, arguments)) {
                Object[] result = new Object[1];
                commit(() -> result[0] = call(statement, method, arguments));
                return Objects.requireNonNull(result[0]);
            }
            return isChange(method) && probe.enters()
                    ? change(statement, method, arguments)
                    : call(statement, method, arguments);
        });
    }

    private @Nullable Object change(Statement statement, Method method, Object @Nullable [] arguments)
            throws Throwable {
        try {
            if (probe.failsStatement(delegate.getAutoCommit())) {
                throw lockTimeout();
            }
            return call(statement, method, arguments);
        } finally {
            probe.leaves();
        }
    }

    private static boolean isChange(Method method) {
        return method.getName().startsWith("execute") && !method.getName().equals("executeQuery");
    }

    /** On PostgreSQL the library proves and commits by one call. */
    private static boolean isCommit(Method method, Object @Nullable [] arguments) {
        return isChange(method)
                && arguments != null
                && arguments.length > 0
                && arguments[0] instanceof String sql
                && sql.stripTrailing().toUpperCase(Locale.ROOT).endsWith("COMMIT");
    }

    /** PostgreSQL aborts the transaction of a statement that fails. Others take back the statement only. */
    private SQLException lockTimeout() throws SQLException {
        boolean isPostgresql = delegate.getMetaData().getDatabaseProductName().equals("PostgreSQL");
        if (isPostgresql && !delegate.getAutoCommit()) {
            try (Statement failing = delegate.createStatement()) {
                failing.execute("select 1 / 0");
            } catch (SQLException aborted) {
                SQLException timeout = Probe.lockTimeout(POSTGRESQL_LOCK_TIMEOUT);
                timeout.addSuppressed(aborted);
                return timeout;
            }
        }
        return Probe.lockTimeout(isPostgresql ? POSTGRESQL_LOCK_TIMEOUT : LOCK_TIMEOUT);
    }
}
