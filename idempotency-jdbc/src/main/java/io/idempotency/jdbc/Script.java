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
 * @param open what the text leaves open beside the names of the tables
 * @param isRepeatable whether it passes over what is there; where not, each statement is run for itself, and may fail
 * @param note a comment that stands before it
 */
record Script(String dialect, Map<String, String> open, boolean isRepeatable, String note) {

    private static final String UNTRIED =
            "-- By the manual: the tests of this library did not run it on this database.\n";

    static Script in(Connection connection) throws SQLException {
        String dialect = Dialects.nameOf(connection);
        if (!dialect.equals(Dialects.PLAIN)) {
            return new Script(dialect, Map.of(), true, "");
        }
        return of(PlainSyntax.of(connection));
    }

    /** Returns the one for a database without a dialect. */
    static Script of(PlainSyntax syntax) {
        return new Script(Dialects.PLAIN, PlainTypes.of(syntax), false, syntax.isTested() ? "" : UNTRIED);
    }

    /** Returns all that the text leaves open. */
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
