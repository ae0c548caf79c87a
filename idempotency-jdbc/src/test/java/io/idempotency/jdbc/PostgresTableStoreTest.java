package io.idempotency.jdbc;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.testkit.ClaimContract;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

class PostgresTableStoreTest implements ClaimContract {

    private static HikariDataSource dataSource = TestDatabase.POSTGRESQL.pool(8);
    private static TableStore store = TableStore.builder(dataSource)
            .tablePrefix("contract_")
            .claimTimeout(Duration.ofSeconds(1))
            .build();

    @BeforeAll
    static void createTables() {
        Schema.on(dataSource).tablePrefix("contract_").migrate();
    }

    @AfterAll
    static void close() {
        dataSource.close();
    }

    @Override
    public TableStore store() {
        return store;
    }

    @Override
    public void passTime(Duration duration) {
        TestDatabase.passTime(dataSource, "contract_", duration);
    }

    @Override
    public boolean movesStoredTimes() {
        return true;
    }
}
