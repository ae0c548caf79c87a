package io.idempotency.jdbc;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Asks PostgreSQL's driver, which is no dependency, how it sends statements, and what it was notified of. */
final class PostgresDriver {

    private static final @Nullable Method QUERY_MODE = method("getPreferQueryMode");
    private static final @Nullable Method NOTIFICATIONS = method("getNotifications", int.class);

    private PostgresDriver() {}

    private static @Nullable Method method(String name, Class<?>... parameters) {
        try {
            return Class.forName("org.postgresql.PGConnection", false, PostgresDriver.class.getClassLoader())
                    .getMethod(name, parameters);
        } catch (ReflectiveOperationException e) {
            return null;
        }
    }

    /**
     * Returns whether the server ignores the statements of a text behind one that failed. With {@code preferQueryMode=simple} it does not, because each is
     * sent as a query of its own. Returns false if the driver cannot be asked.
     */
    static boolean isStoppingAtFailures(Connection connection) {
        try {
            return QUERY_MODE != null
                    && connection.isWrapperFor(QUERY_MODE.getDeclaringClass())
                    && !String.valueOf(QUERY_MODE.invoke(connection.unwrap(QUERY_MODE.getDeclaringClass())))
                            .equalsIgnoreCase("simple");
        } catch (SQLException | IllegalAccessException | InvocationTargetException e) {
            return false;
        }
    }

    /** Returns whether the connection tells what it was notified of. */
    static boolean isTellingNotifications(Connection connection) throws SQLException {
        return NOTIFICATIONS != null && connection.isWrapperFor(NOTIFICATIONS.getDeclaringClass());
    }

    /**
     * Waits until the connection is notified.
     *
     * @return whether it was; false if the time has passed
     */
    static boolean areNotified(Connection connection, Duration most) throws SQLException {
        if (NOTIFICATIONS == null) {
            return false;
        }
        try {
            Object told = NOTIFICATIONS.invoke(
                    connection.unwrap(NOTIFICATIONS.getDeclaringClass()), Math.toIntExact(most.toMillis()));
            return told instanceof Object[] some && some.length > 0;
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof SQLException failure) {
                throw failure;
            }
            throw new SQLException(e);
        } catch (IllegalAccessException e) {
            throw new SQLException(e);
        }
    }
}
