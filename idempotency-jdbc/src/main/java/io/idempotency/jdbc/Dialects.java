package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;

/** Chooses the dialect by the product name of the database. */
final class Dialects {

    private Dialects() {}

    static Dialect of(Connection connection, Tables tables, Duration claimTimeout) throws SQLException {
        return switch (nameOf(connection)) {
            case "postgresql" -> new PostgresDialect(tables, claimTimeout);
            default -> throw new UnsupportedOperationException();
        };
    }

    /** Returns the name of the folder of the scripts. */
    static String nameOf(Connection connection) throws SQLException {
        return switch (connection.getMetaData().getDatabaseProductName()) {
            case "PostgreSQL" -> "postgresql";
            case "MariaDB" -> "mariadb";
            case "H2" -> "h2";
            default -> "ansi";
        };
    }
}
