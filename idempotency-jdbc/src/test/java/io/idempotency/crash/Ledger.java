package io.idempotency.crash;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

/** Two tables without any unique constraint, so that what is doubled is seen twice: calls of handlers, and their effects. */
final class Ledger {

    private final DataSource dataSource;

    Ledger(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    static DataSource postgres(String url) {
        PGSimpleDataSource dataSource = new PGSimpleDataSource();
        dataSource.setUrl(url);
        return dataSource;
    }

    void create() {
        try (Connection connection = dataSource.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("create table handler_call (cell text not null, message text not null)");
            statement.execute("create table effect (cell text not null, message text not null)");
        } catch (SQLException e) {
            throw new IllegalStateException("The ledger was not created", e);
        }
    }

    void call(Cell cell, String message) {
        insert("insert into handler_call (cell, message) values (?, ?)", cell, message);
    }

    void effect(Cell cell, String message) {
        insert("insert into effect (cell, message) values (?, ?)", cell, message);
    }

    int calls(Cell cell, String message) {
        return count("select count(*) from handler_call where cell = ? and message = ?", cell, message);
    }

    int effects(Cell cell, String message) {
        return count("select count(*) from effect where cell = ? and message = ?", cell, message);
    }

    private void insert(String sql, Cell cell, String message) {
        try (Connection connection = dataSource.getConnection();
                PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, cell.id());
            statement.setString(2, message);
            statement.executeUpdate();
        } catch (SQLException e) {
            throw new IllegalStateException("Not written for " + message + ": " + sql, e);
        }
    }

    private int count(String sql, Cell cell, String message) {
        try (Connection connection = dataSource.getConnection();
                PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, cell.id());
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
