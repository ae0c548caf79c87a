package io.idempotency.jdbc;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.TransientStoreException;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.datasource.init.ScriptException;

/**
 * Creates and checks the tables of the stores: {@code name}, {@code message}, {@code horizon}, {@code quarantine}, {@code replay}, {@code audit}, {@code result}, {@code range}, {@code settled}, {@code
 * journal}, {@code segment}, {@code archive}, {@code archive_page} and {@code archive_filter}, and, where there is an outbox, {@code outbox} and {@code outbox_part}, each with the prefix. Or returns their script, for your own migrations. Immutable.
 *
 * <pre>
 * Schema.on(dataSource).tablePrefix("billing_").migrate();
 * </pre>
 */
public final class Schema {

    private static final int MOST_ATTEMPTS = 10;

    static final String NEEDS_FLYWAY =
            "Schema.migrate() needs org.flywaydb:flyway-core and its module for the database, such as"
                    + " flyway-database-postgresql or, for MariaDB, flyway-mysql, on the class path. Without them, use Schema.create(), in Spring"
                    + " idempotency.schema.mode=always, or run the statements of Schema.script()";

    private final DataSource dataSource;
    private final Tables tables;

    private Schema(DataSource dataSource, Tables tables) {
        this.dataSource = dataSource;
        this.tables = tables;
    }

    /** Returns the schema with the default table names in the database of the data source. Does not connect yet. */
    public static Schema on(DataSource dataSource) {
        return new Schema(dataSource, Tables.standard());
    }

    /**
     * Returns a schema whose table names begin with the prefix.
     *
     * @throws IdempotencyException if it is not a plain identifier
     */
    public Schema tablePrefix(String prefix) {
        return new Schema(dataSource, new Tables(tables.schema(), prefix));
    }

    /**
     * Returns a schema whose tables are in the database schema with the name; by default they are in the connection's own.
     *
     * @throws IdempotencyException if it is not a plain identifier
     */
    public Schema schema(String name) {
        return new Schema(dataSource, new Tables(name, tables.prefix()));
    }

    /**
     * Creates or updates the tables by Flyway, which must be on the class path with its module for this database. The history is in a table of its
     * own, {@code <prefix>schema_history}, separate from the application's. Creates the database schema if one is given and does not exist.
     *
     * <p>An application that uses Flyway itself runs its own first migration before this one, or gives these tables a schema of their own: Flyway
     * refuses to begin a history in a schema that has tables already, unless it is told to baseline.
     *
     * @throws IdempotencyException if Flyway is not on the class path
     */
    public void migrate() {
        Script script = inDatabase();
        try {
            FlywayMigration.run(dataSource, tables, script);
        } catch (NoClassDefFoundError e) {
            throw new IdempotencyException(NEEDS_FLYWAY, e);
        }
    }

    /**
     * Creates the missing tables, and the database schema if one is given, without Flyway and without a history. Any number of nodes may do so at the same
     * time. If a node dies in the middle, another one completes its work.
     *
     * @throws IdempotencyException if the tables cannot be created, or exist with other columns
     */
    public void create() {
        for (int attempt = 1; !areThere(); attempt++) {
            try {
                createSchema();
                ScriptRun.run(dataSource, tables, this::areThere);
                validate();
            } catch (SQLException | ScriptException e) {
                // Another node creates the same tables: the next try skips those that it has committed.
                if (attempt == MOST_ATTEMPTS) {
                    throw SqlFailures.translated("create the tables", e);
                }
            }
        }
    }

    private boolean areThere() {
        try {
            validate();
            return true;
        } catch (TransientStoreException e) {
            throw e;
        } catch (IdempotencyException absent) {
            return false;
        }
    }

    /** Creates the given schema if it is missing; on MariaDB it is a database. A user without that right has it created before. */
    private void createSchema() throws SQLException {
        if (tables.schema().isEmpty()) {
            return;
        }
        try (Connection connection = dataSource.getConnection();
                Statement statement = connection.createStatement()) {
            if (!isSchemaThere(connection.getMetaData())) {
                statement.execute("create schema " + tables.schema());
                if (!connection.getAutoCommit()) {
                    connection.commit();
                }
            }
        }
    }

    private boolean isSchemaThere(DatabaseMetaData database) throws SQLException {
        try (ResultSet there =
                database.supportsSchemasInTableDefinitions() ? database.getSchemas() : database.getCatalogs()) {
            while (there.next()) {
                if (there.getString(1).equalsIgnoreCase(tables.schema())) {
                    return true;
                }
            }
            return false;
        }
    }

    /** Returns the statements that create the tables in this database, with all names filled in. Connects to learn the kind of database. */
    public String script() {
        return inDatabase().text(tables);
    }

    /**
     * Checks that the tables exist, with their columns.
     *
     * @throws IdempotencyException naming the table that is missing or differs, with the script that creates it
     */
    public void validate() {
        Optional<Difference> found = find();
        if (found.isPresent()) {
            SQLException cause = found.get().cause();
            String text = found.get().sentence()
                    + " Schema.migrate() creates what is missing, and so does this script:\n\n" + script();
            throw cause == null ? new IdempotencyException(text) : new IdempotencyException(text, cause);
        }
    }

    /** Returns what is missing or differs, as a sentence; empty if the tables are there, with their columns. */
    public Optional<String> difference() {
        return find().map(Difference::sentence);
    }

    private record Difference(String sentence, @Nullable SQLException cause) {}

    private Optional<Difference> find() {
        try (Connection connection = dataSource.getConnection()) {
            for (String query : QUERIES) {
                Optional<Difference> found = find(connection, tables.fill(query));
                if (found.isPresent()) {
                    return found;
                }
            }
            String dialect = Dialects.nameOf(connection);
            if (!dialect.equals(Dialects.PLAIN)) {
                for (String query : OUTBOX_QUERIES) {
                    Optional<Difference> found = find(connection, tables.fill(query));
                    if (found.isPresent()) {
                        return found;
                    }
                }
            }
            return dialect.equals("postgresql") ? findTriggers(connection) : Optional.empty();
        } catch (SQLException e) {
            throw SqlFailures.translated("validate the tables", e);
        }
    }

    private static final List<String> QUERIES = List.of(
            "select id, name, retention_micros, journal_retention_micros from ${tables}name where 1 = 0",
            "select at_micros, record_offset, place, consumer, state, message_id from ${tables}message where 1 = 0",
            "select place, record_offset, at_micros, consumer from ${tables}horizon where 1 = 0",
            """
            select consumer, message_id, generation, at_micros, first_at_micros, record_timestamp, record_offset, place, key_hash, attempts, behind, doubtful,
                origin, failure_type, failure_group, replay, id_value, failure, record_key, record_value, headers
            from ${tables}quarantine where 1 = 0
            """,
            """
            select id, consumer, status, per_second, may_repeat, stop_after, failures_in_row, failing_group, total, processed, duplicates, failed,
                unreadable, at_micros, ended_micros, actor, selection, reason, stopped_by
            from ${tables}replay where 1 = 0
            """,
            "select at_micros, token, actor, origin, verb, consumer, messages, subject, reason from ${tables}audit where 1 = 0",
            "select at_micros, consumer, message_id, name, result_type, fingerprint, content from ${tables}result where 1 = 0",
            "select at_micros, place, first_offset, last_offset, consumer, token, included, digest from ${tables}range where 1 = 0",
            "select at_micros, place, first_offset, next_offset, token, consumer, leader_epoch, topic_id from ${tables}settled where 1 = 0",
            """
            select consumer, place, version, token, at_micros, horizon_version, horizon_offset, partitions, archived_version
            from ${tables}journal where 1 = 0
            """,
            """
            select consumer, place, version, token, at_micros, first_offset, last_offset, kind, gaps, ids
            from ${tables}segment where 1 = 0
            """,
            """
            select consumer, place, archive, state, renewed_micros, seed, first_version, last_version, first_micros, last_micros, first_offset, last_offset,
                front_offset, messages, quarantined
            from ${tables}archive where 1 = 0
            """,
            "select consumer, place, archive, first_hash, ids, offsets, times, kinds from ${tables}archive_page where 1 = 0",
            "select consumer, place, archive, first_hash, hashes, quarantined, filter_bits from ${tables}archive_filter where 1 = 0");

    /** Of the databases that have an outbox. */
    private static final List<String> OUTBOX_QUERIES =
            List.of("""
            select number, at_micros, record_timestamp, record_partition, part, id_value, topic, refused, record_key, record_value, headers
            from ${tables}outbox where 1 = 0
            """, "select part from ${tables}outbox_part where 1 = 0");

    private static final String TRIGGERS = """
            select count(*) from pg_trigger
            where tgname in (lower('${prefix}unproved'), lower('${prefix}unproved_again')) and tgrelid in ('${tables}message'::regclass, '${tables}segment'::regclass)
            """;

    private Optional<Difference> findTriggers(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(TRIGGERS));
                ResultSet result = statement.executeQuery()) {
            result.next();
            return result.getInt(1) == 3
                    ? Optional.empty()
                    : Optional.of(new Difference("A trigger is missing.", null));
        }
    }

    private static Optional<Difference> find(Connection connection, String query) {
        try (PreparedStatement statement = connection.prepareStatement(query)) {
            statement.executeQuery().close();
            return Optional.empty();
        } catch (SQLException e) {
            if (TransientFailures.isTransient(e)) {
                throw SqlFailures.translated("validate the tables", e);
            }
            return Optional.of(new Difference("A table is missing or differs (" + e.getMessage() + ").", e));
        }
    }

    private Script inDatabase() {
        try (Connection connection = dataSource.getConnection()) {
            return Script.in(connection);
        } catch (SQLException e) {
            throw SqlFailures.translated("look at the database", e);
        }
    }
}
