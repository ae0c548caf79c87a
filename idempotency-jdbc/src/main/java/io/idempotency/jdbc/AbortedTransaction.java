package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.datasource.DataSourceUtils;

/** Asks for the failure after which PostgreSQL takes no further statement: its driver keeps it, and tells it with the next one. */
final class AbortedTransaction {

    private AbortedTransaction() {}

    /** Returns the failure; null if the transaction is none of those. */
    static @Nullable Throwable reason(DataSource dataSource) {
        Connection connection = DataSourceUtils.getConnection(dataSource);
        try (Statement statement = connection.createStatement()) {
            statement.execute("select 1");
            return null;
        } catch (SQLException e) {
            return SqlFailures.ABORTED.equals(e.getSQLState()) ? e.getCause() : null;
        } finally {
            DataSourceUtils.releaseConnection(connection, dataSource);
        }
    }
}
