package io.idempotency.jdbc;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.io.File;

/** Databases that have no dialect, beside HSQLDB. */
enum PlainDatabase {
    DERBY {
        @Override
        String url() {
            System.setProperty("derby.locks.waitTimeout", "1");
            System.setProperty("derby.locks.deadlockTimeout", "1");
            return "jdbc:derby:memory:idempotency;create=true";
        }
    },
    /** The one that {@code -Djdbc.url} names, with its user and password. */
    NAMED {
        @Override
        String url() {
            return System.getProperty("jdbc.url", "");
        }
    };

    /** Returns where the database is; starts it if it is not running. */
    abstract String url();

    HikariDataSource pool(int connections) {
        System.setProperty("derby.stream.error.file", new File("target/derby.log").getAbsolutePath());
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url());
        if (this == NAMED) {
            config.setUsername(System.getProperty("jdbc.user"));
            config.setPassword(System.getProperty("jdbc.password"));
        }
        config.setMaximumPoolSize(connections);
        config.setMinimumIdle(0);
        return new HikariDataSource(config);
    }
}
