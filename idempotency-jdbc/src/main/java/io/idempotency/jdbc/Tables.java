package io.idempotency.jdbc;

import io.idempotency.store.IdempotencyException;
import java.util.regex.Pattern;

/** The names of the tables: a prefix, and a schema, which is empty for the connection's own. */
record Tables(String schema, String prefix) {

    static final String DEFAULT_PREFIX = "idempotency_";

    private static final Pattern IDENTIFIER = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,39}");

    Tables {
        if (!schema.isEmpty()) {
            requireIdentifier("schema", schema);
        }
        requireIdentifier("table prefix", prefix);
    }

    static Tables standard() {
        return new Tables("", DEFAULT_PREFIX);
    }

    String message() {
        return qualifiedPrefix() + "message";
    }

    String name() {
        return qualifiedPrefix() + "name";
    }

    String quarantine() {
        return qualifiedPrefix() + "quarantine";
    }

    /** Returns the statement with its placeholders filled in. Both names are checked, so no other SQL can enter. */
    String fill(String sql) {
        return sql.replace("${tables}", qualifiedPrefix()).replace("${prefix}", prefix);
    }

    String qualifiedPrefix() {
        return schema.isEmpty() ? prefix : schema + "." + prefix;
    }

    private static void requireIdentifier(String what, String name) {
        if (!IDENTIFIER.matcher(name).matches()) {
            throw new IdempotencyException(
                    "The " + what + " \"" + name.replaceAll("\\p{Cntrl}", "?")
                            + "\" is not a plain identifier: up to 40 letters, digits and underscores, not starting with a digit");
        }
    }
}
