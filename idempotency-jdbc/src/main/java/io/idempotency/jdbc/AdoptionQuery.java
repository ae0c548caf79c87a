package io.idempotency.jdbc;

import io.idempotency.store.IdKind;
import io.idempotency.store.IdempotencyException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;

/** Streams the rows of an adoption's query, on a connection of its own. Not thread-safe. */
final class AdoptionQuery implements AutoCloseable {

    /** How many rows the driver holds. */
    private static final int FETCHED = 1000;

    private final Connection connection;
    private final PreparedStatement statement;
    private final ResultSet result;
    private final AdoptedRows rows;
    private final boolean wasAutoCommit;
    private boolean isAtEnd;

    private AdoptionQuery(PreparedStatement statement, boolean wasAutoCommit, IdKind kind) throws SQLException {
        this.statement = statement;
        this.wasAutoCommit = wasAutoCommit;
        this.connection = statement.getConnection();
        this.result = statement.executeQuery();
        this.rows = new AdoptedRows(result.getMetaData(), kind);
    }

    /** Runs the query in a transaction of its own. */
    static AdoptionQuery run(DataSource dataSource, String sql, List<?> parameters, IdKind kind) throws SQLException {
        Connection connection = dataSource.getConnection();
        boolean wasAutoCommit = connection.getAutoCommit();
        try {
            // With auto-commit, the driver of PostgreSQL reads all rows into memory.
            connection.setAutoCommit(false);
            PreparedStatement statement =
                    connection.prepareStatement(sql, ResultSet.TYPE_FORWARD_ONLY, ResultSet.CONCUR_READ_ONLY);
            statement.setFetchSize(fetchSize(connection));
            for (int i = 0; i < parameters.size(); i++) {
                statement.setObject(i + 1, parameters.get(i));
            }
            return new AdoptionQuery(statement, wasAutoCommit, kind);
        } catch (SQLException | RuntimeException | Error e) {
            try {
                end(connection, wasAutoCommit);
            } catch (SQLException unended) {
                e.addSuppressed(unended);
            }
            throw e;
        }
    }

    /** The driver of MySQL streams with this number only; otherwise it reads all rows into memory. */
    private static int fetchSize(Connection connection) throws SQLException {
        return connection.getMetaData().getDriverName().startsWith("MySQL") ? Integer.MIN_VALUE : FETCHED;
    }

    /**
     * Returns the next rows, up to {@code most}; none at the end.
     *
     * @throws IdempotencyException if a row cannot be adopted
     */
    List<AdoptedRow> next(int most) throws SQLException {
        List<AdoptedRow> some = new ArrayList<>(most);
        while (!isAtEnd && some.size() < most) {
            if (result.next()) {
                some.add(rows.read(result));
            } else {
                isAtEnd = true;
            }
        }
        return some;
    }

    @Override
    public void close() throws SQLException {
        try {
            if (!isAtEnd) {
                // Otherwise the driver of MariaDB reads all remaining rows.
                statement.cancel();
            }
            statement.close();
        } finally {
            end(connection, wasAutoCommit);
        }
    }

    private static void end(Connection connection, boolean isAutoCommit) throws SQLException {
        try (connection) {
            connection.rollback();
            connection.setAutoCommit(isAutoCommit);
        }
    }
}
