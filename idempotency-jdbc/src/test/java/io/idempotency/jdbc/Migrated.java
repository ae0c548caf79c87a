package io.idempotency.jdbc;

import com.zaxxer.hikari.HikariDataSource;
import java.util.HashSet;
import java.util.Set;

/** The schemas that this JVM has created: Flyway takes its time even if there is nothing to do. */
final class Migrated {

    private static final Set<String> DONE = new HashSet<>();

    private Migrated() {}

    /** Creates the tables with the prefix, unless this JVM has done so. */
    static synchronized void once(HikariDataSource dataSource, String prefix) {
        if (!DONE.contains(dataSource.getJdbcUrl() + " " + prefix)) {
            Schema.on(dataSource).tablePrefix(prefix).migrate();
            DONE.add(dataSource.getJdbcUrl() + " " + prefix);
        }
    }
}
