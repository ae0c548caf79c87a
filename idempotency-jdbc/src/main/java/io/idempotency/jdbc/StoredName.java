package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/** Stores the number of a name, on databases where a duplicate key leaves the transaction alive. */
final class StoredName {

    private StoredName() {}

    private static final String INSERT = "insert into ${tables}name (id, name) values (?, ?)";

    /** Stores the number, if it is free. Returns whether it now belongs to this name. */
    static boolean insert(Connection connection, PlainDialect dialect, int number, String name) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement(dialect.beforeWaiting() + dialect.filled(INSERT))) {
            dialect.bound(statement);
            statement.setInt(1, number);
            statement.setString(2, name);
            statement.executeUpdate();
            return true;
        } catch (SQLException e) {
            if (SqlFailures.isDuplicateKey(e)) {
                return isSame(connection, dialect.tables, number, name);
            }
            throw e;
        }
    }

    private static final String SELECT = "select id from ${tables}name where id = ? and name = ?";

    /** Returns whether the stored number belongs to this name. */
    static boolean isSame(Connection connection, Tables tables, int number, String name) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(tables.fill(SELECT))) {
            statement.setInt(1, number);
            statement.setString(2, name);
            try (ResultSet result = statement.executeQuery()) {
                return result.next();
            }
        }
    }
}
