package io.idempotency.jdbc;

import com.zaxxer.hikari.HikariDataSource;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.datasource.DelegatingDataSource;

/**
 * The data source of a process that dies: at the given step its connection is gone, and it gets no other. A step is a statement, the moment before a commit or the
 * moment after it.
 */
final class DyingProcess extends DelegatingDataSource {

    private final HikariDataSource pool;
    private final int lastStep;
    private int steps;

    DyingProcess(HikariDataSource pool, int lastStep) {
        super(pool);
        this.pool = pool;
        this.lastStep = lastStep;
    }

    /** Returns how many steps it has made. */
    int steps() {
        return steps;
    }

    boolean isDead() {
        return steps > lastStep;
    }

    private void step(Connection connection) throws SQLException {
        requireAlive();
        if (++steps > lastStep) {
            // Its session ends as that of a process whose machine is gone: the database rolls back.
            TestDatabase.kill(connection);
            pool.evictConnection(connection);
            requireAlive();
        }
    }

    private void requireAlive() throws SQLException {
        if (isDead()) {
            throw new SQLException("The process is dead", "08006");
        }
    }

    @Override
    public Connection getConnection() throws SQLException {
        requireAlive();
        Connection target = super.getConnection();
        return proxy(Connection.class, (self, method, arguments) -> {
            switch (method.getName()) {
                case "commit" -> {
                    step(target);
                    invoke(target, method, arguments);
                    step(target);
                    return null;
                }
                case "rollback", "setAutoCommit", "setTransactionIsolation" -> requireAlive();
                default -> {
                    // Others need no server.
                }
            }
            Object result = invoke(target, method, arguments);
            return result instanceof PreparedStatement statement ? watched(statement, target) : result;
        });
    }

    private PreparedStatement watched(PreparedStatement statement, Connection connection) {
        return proxy(PreparedStatement.class, (self, method, arguments) -> {
            if (method.getName().startsWith("execute")) {
                step(connection);
            }
            return invoke(statement, method, arguments);
        });
    }

    private static @Nullable Object invoke(Object target, Method method, Object[] arguments) throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw e.getTargetException();
        }
    }

    private static <T> T proxy(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }
}
