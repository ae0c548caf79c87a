package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Chooses the dialect by the product name of the database. */
final class Dialects {

    private static final Logger LOG = LoggerFactory.getLogger(TableStore.class);

    private static final Set<String> TOLD = ConcurrentHashMap.newKeySet();

    /** The name of what databases without a dialect share. */
    static final String PLAIN = "plain";

    private Dialects() {}

    static Dialect of(Connection connection, Tables tables, Duration claimTimeout) throws SQLException {
        return switch (nameOf(connection)) {
            case "postgresql" -> new PostgresDialect(tables, claimTimeout);
            case "mariadb" -> new MariaDbDialect(tables, claimTimeout);
            case "h2" -> new H2Dialect(tables, claimTimeout);
            default -> {
                tell(connection);
                yield new PlainDialect(tables, claimTimeout, PlainSyntax.of(connection));
            }
        };
    }

    /** Says so once, however many stores there are. */
    private static void tell(Connection connection) throws SQLException {
        DatabaseMetaData database = connection.getMetaData();
        if (!TOLD.add(database.getDatabaseProductName() + " " + database.getDatabaseProductVersion())) {
            return;
        }
        if (PlainSyntax.of(connection).isTested()) {
            LOG.info(
                    "{} has no statements of its own here: plain ones are used, which take more round trips",
                    database.getDatabaseProductName());
        } else {
            LOG.warn(
                    "The stores were never run on {} {}. They use plain statements, which take more round trips: a message that is claimed twice at the same time"
                            + " fails transiently and is run again, a claim may wait for longer than the claim timeout, and there are no journals. What is promised all the"
                            + " same, because the primary key and one transaction are enough for it: no message is processed twice or lost. To see whether it holds, run"
                            + " the contracts and the crash table against this database: mvn -Pcontracts -Djdbc.url=...",
                    database.getDatabaseProductName(),
                    database.getDatabaseProductVersion());
        }
    }

    /** Returns the name of the dialect, which is the folder of its script. */
    static String nameOf(Connection connection) throws SQLException {
        DatabaseMetaData database = connection.getMetaData();
        return switch (database.getDatabaseProductName()) {
            case "PostgreSQL" -> "postgresql";
            case "MariaDB" -> "mariadb";
            case "MySQL" -> isMariaDb(database) ? "mariadb" : PLAIN;
            case "H2" -> "h2";
            default -> PLAIN;
        };
    }

    /** By {@code useMysqlMetadata}, the driver calls MariaDB by the name of MySQL. MySQL's own driver does not take the statements for MariaDB. */
    private static boolean isMariaDb(DatabaseMetaData database) throws SQLException {
        return database.getDriverName().startsWith("MariaDB")
                && database.getDatabaseProductVersion().contains("MariaDB");
    }
}
