package io.idempotency.samples.rough;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;

/** The ways in which a handler commits the library's transaction. */
enum EarlyCommits {
    COMMIT {
        @Override
        void on(Connection connection, String staging) throws SQLException {
            connection.commit();
        }
    },
    AUTO_COMMIT {
        @Override
        void on(Connection connection, String staging) throws SQLException {
            connection.setAutoCommit(true);
        }
    },
    TEXT {
        @Override
        void on(Connection connection, String staging) throws SQLException {
            execute(connection, "commit");
        }
    },
    TRUNCATE {
        @Override
        void on(Connection connection, String staging) throws SQLException {
            execute(connection, "truncate table " + staging);
        }
    },
    CREATE_TABLE {
        @Override
        void on(Connection connection, String staging) throws SQLException {
            execute(connection, "create table if not exists " + staging + " (id int)");
        }
    };

    /** Commits. */
    abstract void on(Connection connection, String staging) throws SQLException;

    /** Returns the way of an order. On PostgreSQL it is one of the first three, because only {@code COMMIT} commits there. */
    static EarlyCommits of(int number, boolean isPostgresql) {
        return values()[Math.floorMod(number, isPostgresql ? 3 : values().length)];
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
