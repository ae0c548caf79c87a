package io.idempotency.jdbc;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.testkit.AuditContract;
import io.idempotency.testkit.ClaimContract;
import io.idempotency.testkit.ConcurrencyFuzz;
import io.idempotency.testkit.KeyOrderContract;
import io.idempotency.testkit.LeaseContract;
import io.idempotency.testkit.OperatorContract;
import io.idempotency.testkit.QuarantineContract;
import io.idempotency.testkit.ReplayContract;
import io.idempotency.testkit.StoreComparison;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.TestInstance;

/** The contracts of the stores, kept on every database. */
class StoreContractTest {

    @Nested
    class OnPostgresql extends Contracts {
        OnPostgresql() {
            super(TestDatabase.POSTGRESQL);
        }
    }

    @Nested
    class OnMariaDb extends Contracts {
        OnMariaDb() {
            super(TestDatabase.MARIADB);
        }
    }

    @Nested
    class OnH2 extends Contracts {
        OnH2() {
            super(TestDatabase.H2);
        }
    }

    /** A database that has no dialect of its own. */
    @Nested
    class OnHsqldb extends Contracts {

        OnHsqldb() {
            super(TestDatabase.HSQLDB);
        }
    }

    @TestInstance(TestInstance.Lifecycle.PER_CLASS)
    abstract static class Contracts
            implements ClaimContract,
                    LeaseContract,
                    QuarantineContract,
                    KeyOrderContract,
                    ReplayContract,
                    OperatorContract,
                    AuditContract {

        private static final String PREFIX = "contract_";

        private final HikariDataSource dataSource;
        private final TableStore store;
        private final JdbcQuarantine quarantine;
        private final JdbcReplays replays;

        Contracts(TestDatabase database) {
            this(database.pool(8));
        }

        Contracts(HikariDataSource dataSource) {
            this.dataSource = dataSource;
            store = TableStore.builder(dataSource)
                    .tablePrefix(PREFIX)
                    .claimTimeout(Duration.ofSeconds(1))
                    .build();
            quarantine = JdbcQuarantine.on(dataSource).tablePrefix(PREFIX).claimTimeout(Duration.ofSeconds(1));
            replays = JdbcReplays.on(dataSource).tablePrefix(PREFIX).claimTimeout(Duration.ofSeconds(1));
        }

        @BeforeAll
        void createTables() {
            createTables(Schema.on(dataSource).tablePrefix(PREFIX));
        }

        void createTables(Schema schema) {
            schema.migrate();
        }

        @BeforeEach
        void skipWhatIsKnownToDiffer(TestInfo test) throws SQLException {
            String reason = Differences.reason(
                    dataSource, test.getTestMethod().orElseThrow().getName());
            assumeTrue(reason == null, reason);
        }

        @AfterAll
        void close() {
            dataSource.close();
        }

        @Test
        void agreesWithTheMemoryStoreOnRandomSequences() {
            StoreComparison.run(this, 25);
        }

        @Test
        void grantsEveryMessageOnceToManyThreads() {
            ConcurrencyFuzz.run(store);
        }

        @Override
        public TableStore store() {
            return store;
        }

        @Override
        public JdbcReplays replays() {
            return replays;
        }

        @Override
        public JdbcQuarantine quarantine() {
            return quarantine;
        }

        @Override
        public JdbcAudit audit() {
            return JdbcAudit.on(dataSource).tablePrefix(PREFIX);
        }

        @Override
        public void passTime(Duration duration) {
            TestDatabase.passTime(dataSource, PREFIX, duration);
        }

        @Override
        public boolean movesStoredTimes() {
            return true;
        }
    }
}
