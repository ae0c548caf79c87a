package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.DatabaseMetaData;
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
        DatabaseMetaData database = connection.getMetaData();
        return switch (database.getDatabaseProductName()) {
            case "PostgreSQL" -> "postgresql";
            case "MariaDB" -> "mariadb";
            case "MySQL" -> isMariaDb(database) ? "mariadb" : "ansi";
            case "H2" -> "h2";
            default -> "ansi";
        };
    }

    /** By {@code useMysqlMetadata}, the driver calls MariaDB by the name of MySQL. MySQL's own driver does not take the statements for MariaDB. */
    private static boolean isMariaDb(DatabaseMetaData database) throws SQLException {
        return database.getDriverName().startsWith("MariaDB")
                && database.getDatabaseProductVersion().contains("MariaDB");
    }
}
