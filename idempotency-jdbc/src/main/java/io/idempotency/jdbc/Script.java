package io.idempotency.jdbc;

import io.idempotency.store.IdempotencyException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;

/**
 * The script that creates the tables in a database.
 *
 * @param dialect the folder of its text
 * @param open the values of placeholders besides the names of the tables
 * @param isRepeatable whether it skips tables that exist; if not, each statement runs alone and may fail
 * @param note a comment before the text
 */
record Script(String dialect, Map<String, String> open, boolean isRepeatable, String note) {

    private static final String UNTRIED = "-- By the manual: no test of this library has run it on this database.\n";

    static Script in(Connection connection) throws SQLException {
        String dialect = Dialects.nameOf(connection);
        if (!dialect.equals(Dialects.PLAIN)) {
            return new Script(dialect, Map.of(), true, "");
        }
        return of(PlainSyntax.of(connection));
    }

    /** Returns the script for a database without a dialect. */
    static Script of(PlainSyntax syntax) {
        return new Script(Dialects.PLAIN, PlainTypes.of(syntax), false, syntax.isTested() ? "" : UNTRIED);
    }

    /** Returns all placeholders with their values. */
    Map<String, String> placeholders(Tables tables) {
        Map<String, String> all = new HashMap<>(open);
        all.put("tables", tables.qualifiedPrefix());
        all.put("prefix", tables.prefix());
        return all;
    }

    /** Returns the statements, with everything filled in. */
    String text(Tables tables) {
        String text = note + resource();
        for (Map.Entry<String, String> each : placeholders(tables).entrySet()) {
            text = text.replace("${" + each.getKey() + "}", each.getValue());
        }
        return text;
    }

    private String resource() {
        try (InputStream script = Script.class.getResourceAsStream(dialect + "/V1__messages.sql")) {
            if (script == null) {
                throw new IllegalStateException("No script for " + dialect);
            }
            return new String(script.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IdempotencyException("Cannot read the script for " + dialect, e);
        }
    }
}
