package io.idempotency.samples.plain;

import io.idempotency.jdbc.JdbcTransactions;
import io.idempotency.jdbc.Schema;
import io.idempotency.jdbc.TableStore;
import java.sql.SQLException;
import org.h2.jdbcx.JdbcConnectionPool;

/** Runs with nothing but the jars that the documents list, and a database: bills an order twice, and prints both outcomes. */
final class MinimalProgram {

    private MinimalProgram() {}

    public static void main(String[] args) throws SQLException {
        JdbcConnectionPool pool = JdbcConnectionPool.create("jdbc:h2:mem:orders;DB_CLOSE_DELAY=-1", "sa", "");
        Schema.on(pool).create();
        new Ledger(pool).create();
        TableStore store = TableStore.on(pool);
        Ledger ledger = new Ledger(JdbcTransactions.on(pool).dataSource());
        for (int delivery = 0; delivery < 2; delivery++) {
            System.out.println(Orders.bill(new Orders.Order("order-1", "anna,10.50"), store, ledger));
        }
        pool.dispose();
    }
}
