package io.idempotency.jdbc;

import io.idempotency.store.IdempotencyException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Locale;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.configuration.FluentConfiguration;

/** Creates the tables by Flyway. No other class needs Flyway, so the others load without it. */
final class FlywayMigration {

    private FlywayMigration() {}

    static void run(DataSource dataSource, Tables tables, Script script) {
        FluentConfiguration flyway = Flyway.configure(FlywayMigration.class.getClassLoader())
                .dataSource(dataSource)
                .locations("classpath:io/idempotency/jdbc/" + script.dialect())
                .table(tables.prefix() + "schema_history")
                .baselineOnMigrate(true)
                .baselineVersion("0")
                .placeholders(script.placeholders(tables));
        if (!tables.schema().isEmpty()) {
            flyway.defaultSchema(stored(dataSource, tables.schema()));
        }
        try {
            flyway.load().migrate();
        } catch (FlywayException e) {
            if (String.valueOf(e.getMessage()).startsWith("Unsupported Database")) {
                throw new IdempotencyException(Schema.NEEDS_FLYWAY, e);
            }
            throw e;
        }
    }

    /** Returns a name as the database stores it: Flyway quotes names, the statements do not. */
    private static String stored(DataSource dataSource, String name) {
        try (Connection connection = dataSource.getConnection()) {
            if (connection.getMetaData().storesUpperCaseIdentifiers()) {
                return name.toUpperCase(Locale.ROOT);
            }
            return connection.getMetaData().storesLowerCaseIdentifiers() ? name.toLowerCase(Locale.ROOT) : name;
        } catch (SQLException e) {
            throw SqlFailures.translated("look at the database", e);
        }
    }
}
