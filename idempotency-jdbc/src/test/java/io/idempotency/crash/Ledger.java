package io.idempotency.crash;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Two tables without any unique constraint, so that doubled rows are visible: calls of handlers, and their effects. */
final class Ledger {

    /** Of these tables and of those of the stores. */
    static final String PREFIX = "crash_";

    private final DataSource dataSource;

    Ledger(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    /** Creates the tables, unless they are there from another run. */
    void create() {
        createUnlessThere("select cell, message from crash_call where 1 = 0", "create table crash_call");
        createUnlessThere("select cell, message from crash_effect where 1 = 0", "create table crash_effect");
    }

    private void createUnlessThere(String query, String creation) {
        try (Connection connection = dataSource.getConnection();
                Statement statement = connection.createStatement()) {
            if (!isThere(statement, query)) {
                statement.execute(creation + " (cell varchar(100) not null, message varchar(20) not null)");
            }
        } catch (SQLException e) {
            throw new IllegalStateException("The ledger was not created", e);
        }
    }

    private static boolean isThere(Statement statement, String query) {
        try {
            statement.executeQuery(query).close();
            return true;
        } catch (SQLException absent) {
            return false;
        }
    }

    void call(String cell, String message) {
        insert("insert into crash_call (cell, message) values (?, ?)", cell, message);
    }

    void effect(String cell, @Nullable String message) {
        insert("insert into crash_effect (cell, message) values (?, ?)", cell, message);
    }

    int calls(String cell, String message) {
        return count("select count(*) from crash_call where cell = ? and message = ?", cell, message);
    }

    int effects(String cell, String message) {
        return count("select count(*) from crash_effect where cell = ? and message = ?", cell, message);
    }

    private void insert(String sql, String cell, @Nullable String message) {
        try (Connection connection = dataSource.getConnection();
                PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, cell);
            statement.setString(2, message);
            statement.executeUpdate();
        } catch (SQLException e) {
            throw new IllegalStateException("Not written for " + message + ": " + sql, e);
        }
    }

    private int count(String sql, String cell, String message) {
        try (Connection connection = dataSource.getConnection();
                PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, cell);
            statement.setString(2, message);
            try (ResultSet result = statement.executeQuery()) {
                result.next();
                return result.getInt(1);
            }
        } catch (SQLException e) {
            throw new IllegalStateException("Not read for " + message + ": " + sql, e);
        }
    }
}
