package io.idempotency.database;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;

/** Runs on a server that the tests start, unless {@code -Djdbc.url} names a database: then the user asks about that one alone. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@DisabledIfSystemProperty(
        named = "jdbc.url",
        matches = ".+",
        disabledReason = "jdbc.url names a database, and this test has servers of its own: run it without jdbc.url")
public @interface UnlessOneIsNamed {}
