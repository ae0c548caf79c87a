package io.idempotency.samples.plain;

import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import javax.sql.DataSource;

/** Writes the effect, by plain JDBC that knows nothing about messages, claims or duplicates. */
final class Ledger {

    private final DataSource dataSource;

    Ledger(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    /** Posts a payment in the format {@code account,amount}. */
    void post(String payment) throws SQLException {
        String[] parts = payment.split(",", -1);
        try (Connection connection = dataSource.getConnection();
                PreparedStatement insert =
                        connection.prepareStatement("insert into posting (account, amount) values (?, ?)")) {
            insert.setString(1, parts[0]);
            insert.setBigDecimal(2, new BigDecimal(parts[1]));
            insert.executeUpdate();
        }
    }

    /** Creates the table of postings if it is missing. */
    void create() throws SQLException {
        try (Connection connection = dataSource.getConnection();
                var statement = connection.createStatement()) {
            statement.execute(
                    "create table if not exists posting (account varchar(100) not null, amount numeric(12, 2) not null)");
        }
    }
}
