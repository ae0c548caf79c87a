package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.datasource.DataSourceUtils;

/** Finds the failure that aborted a transaction of PostgreSQL. The driver keeps it and reports it with the next statement. */
final class AbortedTransaction {

    private AbortedTransaction() {}

    /** Returns the failure; null if the transaction is not aborted. */
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
