package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * The statements for one database, chosen by its product name. A new database adds one case to {@link #choice}.
 *
 * @param journals null if this database has no journals
 */
record Dialects(MessageDialect messages, @Nullable JournalDialect journals) {

    private static final Logger LOG = Loggers.TABLE_STORE;

    private static final Set<String> TOLD = ConcurrentHashMap.newKeySet();

    /** The name of the dialect that all other databases share. */
    static final String PLAIN = "plain";

    private static final String POSTGRESQL = "postgresql";

    /** Creates the statements, from the first connection to a database. */
    @FunctionalInterface
    private interface Creation {
        Dialects create(Connection connection, Tables tables, Duration claimTimeout) throws SQLException;
    }

    /** A choice for a database: the folder of its script, and its statements. */
    private record Choice(String name, Creation creation) {}

    private static Choice choice(DatabaseMetaData database) throws SQLException {
        return switch (database.getDatabaseProductName()) {
            case "PostgreSQL" -> new Choice(POSTGRESQL, Dialects::postgres);
            case "MariaDB" -> mariaDb();
            case "MySQL" -> isMariaDb(database) ? mariaDb() : plain();
            case "H2" -> new Choice("h2", (connection, tables, timeout) -> insertFirst(new H2Dialect(tables, timeout)));
            default -> plain();
        };
    }

    private static Choice mariaDb() {
        return new Choice("mariadb", (connection, tables, timeout) -> insertFirst(new MariaDbDialect(tables, timeout)));
    }

    private static Choice plain() {
        return new Choice(PLAIN, (connection, tables, timeout) -> {
            tell(connection);
            return new Dialects(new PlainDialect(tables, timeout, PlainSyntax.of(connection)), null);
        });
    }

    private static Dialects postgres(Connection connection, Tables tables, Duration claimTimeout) {
        PostgresDialect dialect = new PostgresDialect(tables, claimTimeout);
        return new Dialects(dialect, new PostgresJournals(tables, dialect));
    }

    private static Dialects insertFirst(InsertFirstDialect dialect) {
        return new Dialects(dialect, new StandardJournals(dialect));
    }

    static Dialects of(Connection connection, Tables tables, Duration claimTimeout) throws SQLException {
        return choice(connection.getMetaData()).creation().create(connection, tables, claimTimeout);
    }

    /** Returns the name of the dialect, which is the folder of its script. */
    static String nameOf(Connection connection) throws SQLException {
        return choice(connection.getMetaData()).name();
    }

    static boolean isPostgres(Connection connection) throws SQLException {
        return nameOf(connection).equals(POSTGRESQL);
    }

    /** Logs that the plain statements are used, once, however many stores there are. */
    private static void tell(Connection connection) throws SQLException {
        DatabaseMetaData database = connection.getMetaData();
        if (!TOLD.add(database.getDatabaseProductName() + " " + database.getDatabaseProductVersion())) {
            return;
        }
        if (PlainSyntax.of(connection).isTested()) {
            LOG.info(
                    "The stores have no statements of their own for {}: they use plain ones, which take more round trips",
                    database.getDatabaseProductName());
        } else {
            LOG.warn(
                    "The stores were never run on {} {}. They use plain statements, which take more round trips. A message that is claimed twice at the same time"
                            + " fails transiently and is run again, a claim may wait for longer than the claim timeout, and there are no journals. The primary key and one"
                            + " transaction still guarantee that no message is processed twice or lost. To test that, run"
                            + " the contracts and the crash table against this database: mvn -Pcontracts -Djdbc.url=...",
                    database.getDatabaseProductName(),
                    database.getDatabaseProductVersion());
        }
    }

    /** Returns whether the database is MariaDB, even if its driver calls it MySQL ({@code useMysqlMetadata}). MySQL's own driver rejects the statements for MariaDB. */
    private static boolean isMariaDb(DatabaseMetaData database) throws SQLException {
        return database.getDriverName().startsWith("MariaDB")
                && database.getDatabaseProductVersion().contains("MariaDB");
    }
}
