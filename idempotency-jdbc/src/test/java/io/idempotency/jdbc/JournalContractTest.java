package io.idempotency.jdbc;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.testkit.ConcurrencyFuzz;
import io.idempotency.testkit.StoreComparison;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The contracts of claims, kept by the journals on every database that they are for. */
class JournalContractTest {

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

    abstract static class Contracts extends JournalContracts {

        Contracts(TestDatabase database) {
            this(database.pool(8));
        }

        private Contracts(HikariDataSource dataSource) {
            super(dataSource, "journals_", JournalStore.builder(dataSource));
        }

        @Test
        void grantsEveryMessageOnceToManyThreads() {
            ConcurrencyFuzz.run(store());
        }

        @Test
        void answersAsTheMemoryStoreDoes() {
            StoreComparison.run(this, 25);
        }
    }
}
