package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Chooses the dialect by the product name of the database. */
final class Dialects {

    private static final Logger LOG = LoggerFactory.getLogger(TableStore.class);

    private Dialects() {}

    static Dialect of(Connection connection, Tables tables, Duration claimTimeout) throws SQLException {
        return switch (nameOf(connection)) {
            case "postgresql" -> new PostgresDialect(tables, claimTimeout);
            case "mariadb" -> new MariaDbDialect(tables, claimTimeout);
            case "h2" -> new H2Dialect(tables, claimTimeout);
            default -> {
                LOG.info(
                        "{} has no statements of its own here: plain standard SQL is used, which takes more round trips",
                        connection.getMetaData().getDatabaseProductName());
                yield new PlainDialect(tables, claimTimeout);
            }
        };
    }

    /** Returns the name of the dialect, which is the folder of its scripts. */
    static String nameOf(Connection connection) throws SQLException {
        return switch (connection.getMetaData().getDatabaseProductName()) {
            case "PostgreSQL" -> "postgresql";
            case "MariaDB" -> "mariadb";
            case "H2" -> "h2";
            default -> "ansi";
        };
    }
}
