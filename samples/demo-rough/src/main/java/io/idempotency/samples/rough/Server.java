package io.idempotency.samples.rough;

import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** A database server of the run, with the tables of the service. */
interface Server extends AutoCloseable {

    /** Returns the address for connections; their statements wait only a short time for locks. */
    String url();

    @Override
    void close() throws IOException;

    /** Creates the tables of the service. No constraint hides a double effect. */
    default void createTables() throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            for (String table : List.of(
                    "effect (listener varchar(20) not null, message int not null, tx varchar(36) not null,"
                            + " segment int not null, is_auto int not null, part int not null)",
                    "early_commit (tx varchar(36) not null, segment int not null)",
                    "settled (tx varchar(36) not null)",
                    "death (message int not null)",
                    "problem (text varchar(500) not null)",
                    "aside (message int not null)",
                    "taken (name varchar(20) primary key)",
                    "contended (id int primary key, n int not null)")) {
                statement.execute("create table " + table);
            }
            for (Step step : Step.all()) {
                statement.execute("create table " + step.staging() + " (id int)");
            }
            statement.execute("insert into taken (name) values ('taken')");
            for (int id = 0; id < Blocker.ROWS; id++) {
                statement.execute("insert into contended (id, n) values (" + id + ", 0)");
            }
        }
    }

    default Connection connect() throws SQLException {
        return DriverManager.getConnection(url());
    }

    /** Returns all rows of a query. */
    default <T> List<T> query(String query, Row<T> reader) throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            List<T> all = new ArrayList<>();
            while (rows.next()) {
                all.add(reader.read(rows));
            }
            return all;
        }
    }

    default long count(String table) throws SQLException {
        return query("select count(*) from " + table, row -> row.getLong(1)).get(0);
    }

    /** Reads one row. */
    interface Row<T> {
        T read(ResultSet row) throws SQLException;
    }
}
