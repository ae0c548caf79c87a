package io.idempotency.jdbc;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** Asks PostgreSQL's driver, which is no dependency, how it sends statements. */
final class PostgresDriver {

    private static final @Nullable Method QUERY_MODE = queryMode();

    private PostgresDriver() {}

    private static @Nullable Method queryMode() {
        try {
            return Class.forName("org.postgresql.PGConnection", false, PostgresDriver.class.getClassLoader())
                    .getMethod("getPreferQueryMode");
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
}
