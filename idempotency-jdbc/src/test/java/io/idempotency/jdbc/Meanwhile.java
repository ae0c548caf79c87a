package io.idempotency.jdbc;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.datasource.DelegatingDataSource;

/** A data source in which something happens just before a statement is executed, once. */
final class Meanwhile extends DelegatingDataSource {

    private record Event(String text, Consumer<Connection> action) {}

    private final AtomicReference<@Nullable Event> next = new AtomicReference<>();

    Meanwhile(DataSource target) {
        super(target);
    }

    /** Lets the action happen before the next statement that contains the text; it is given the connection of that statement. */
    void before(String text, Consumer<Connection> action) {
        next.set(new Event(text, action));
    }

    /** Lets the work be done by another thread before the next statement that contains the text, which waits for its end. */
    void before(String text, Runnable work) {
        before(text, connection -> CompletableFuture.runAsync(work).join());
    }

    /** Returns whether the awaited event has happened. */
    boolean isOver() {
        return next.get() == null;
    }

    private void happen(String sql, Connection connection) {
        Event event = next.get();
        if (event != null && sql.contains(event.text()) && next.compareAndSet(event, null)) {
            event.action().accept(connection);
        }
    }

    @Override
    public Connection getConnection() throws SQLException {
        Connection target = super.getConnection();
        return proxy(Connection.class, (self, method, arguments) -> {
            Object result = invoke(target, method, arguments);
            return result instanceof PreparedStatement statement && arguments[0] instanceof String sql
                    ? watched(statement, sql, target)
                    : result;
        });
    }

    private PreparedStatement watched(PreparedStatement statement, String sql, Connection connection) {
        return proxy(PreparedStatement.class, (self, method, arguments) -> {
            if (method.getName().startsWith("execute")) {
                happen(sql, connection);
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
