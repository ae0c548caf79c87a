package io.idempotency.jdbc;

import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.function.BooleanSupplier;
import javax.sql.DataSource;
import org.springframework.core.io.ByteArrayResource;
import org.springframework.core.io.support.EncodedResource;
import org.springframework.jdbc.datasource.init.ScriptException;
import org.springframework.jdbc.datasource.init.ScriptUtils;

/** Runs the script that creates the tables. */
final class ScriptRun {

    private ScriptRun() {}

    /** @param isAllThere tells whether all tables exist by now, whatever failed */
    static void run(DataSource dataSource, Tables tables, BooleanSupplier isAllThere) throws SQLException {
        try (Connection connection = dataSource.getConnection()) {
            boolean isAutoCommit = connection.getAutoCommit();
            Script script = Script.in(connection);
            boolean isRepeatable = script.isRepeatable();
            EncodedResource resource = new EncodedResource(
                    new ByteArrayResource(script.text(tables).getBytes(StandardCharsets.UTF_8)),
                    StandardCharsets.UTF_8);
            connection.setAutoCommit(!isRepeatable);
            try {
                if (isRepeatable) {
                    together(connection, resource);
                } else {
                    oneByOne(connection, resource, isAllThere);
                }
            } finally {
                if (isRepeatable) {
                    connection.rollback();
                }
                connection.setAutoCommit(isAutoCommit);
            }
        }
    }

    /** Runs the script in one transaction. If the database can roll back such statements, another node waits for all of them. */
    private static void together(Connection connection, EncodedResource script) throws SQLException {
        ScriptUtils.executeSqlScript(connection, script);
        connection.commit();
    }

    /** Runs each statement alone. One for a table that exists fails, and is skipped. */
    private static void oneByOne(Connection connection, EncodedResource script, BooleanSupplier isAllThere) {
        try {
            ScriptUtils.executeSqlScript(connection, script);
        } catch (ScriptException e) {
            ScriptUtils.executeSqlScript(
                    connection,
                    script,
                    true,
                    true,
                    ScriptUtils.DEFAULT_COMMENT_PREFIX,
                    ScriptUtils.DEFAULT_STATEMENT_SEPARATOR,
                    ScriptUtils.DEFAULT_BLOCK_COMMENT_START_DELIMITER,
                    ScriptUtils.DEFAULT_BLOCK_COMMENT_END_DELIMITER);
            if (!isAllThere.getAsBoolean()) {
                throw e;
            }
        }
    }
}
