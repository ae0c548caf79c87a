package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.List;

/** The ways in which a handler commits the transaction that is not its own. */
enum EarlyCommit {
    COMMIT {
        @Override
        void run(Connection connection, String table) throws SQLException {
            connection.unwrap(Connection.class).commit();
        }
    },
    AUTO_COMMIT {
        @Override
        void run(Connection connection, String table) throws SQLException {
            connection.unwrap(Connection.class).setAutoCommit(true);
        }
    },
    TEXT {
        @Override
        void run(Connection connection, String table) throws SQLException {
            execute(connection, "commit");
        }
    },
    TRUNCATE {
        @Override
        void run(Connection connection, String table) throws SQLException {
            execute(connection, "truncate table " + table);
        }
    },
    CREATE_TABLE {
        @Override
        void run(Connection connection, String table) throws SQLException {
            execute(connection, "create table if not exists " + table + "_more (id integer)");
        }
    };

    /** Commits on the connection of the running transaction. The table exists and nobody else uses it. */
    abstract void run(Connection connection, String table) throws SQLException;

    /** Returns the ways that there are: on PostgreSQL no statement commits but the one that says so. */
    static List<EarlyCommit> on(String url) {
        return url.startsWith("jdbc:postgresql") ? List.of(COMMIT, AUTO_COMMIT, TEXT) : Arrays.asList(values());
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
