package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.testkit.ClaimContract;
import io.idempotency.testkit.ConcurrencyFuzz;
import io.idempotency.testkit.KeyOrderContract;
import io.idempotency.testkit.OperatorContract;
import io.idempotency.testkit.QuarantineContract;
import io.idempotency.testkit.ReplayContract;
import io.idempotency.testkit.StoreComparison;
import java.time.Duration;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.springframework.jdbc.support.JdbcTransactionManager;

/** The contracts of claims, kept by journals whose messages are archived after each transaction: nearly every claim meets archives, and they are merged all the time. */
class ArchivedJournalContractTest {

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

    @TestInstance(TestInstance.Lifecycle.PER_CLASS)
    abstract static class Contracts
            implements ClaimContract, QuarantineContract, KeyOrderContract, ReplayContract, OperatorContract {

        private static final String PREFIX = "archived_";
        private static final int SEEDS = 5;
        private static final int MANY = 100;

        private final HikariDataSource dataSource;
        private final JournalStore store;
        private final JdbcQuarantine quarantine;
        private final JdbcReplays replays;
        private final Archiver archiver;

        Contracts(TestDatabase database) {
            dataSource = database.pool(8);
            archiver = new Archiver(dataSource, PREFIX);
            store = JournalStore.builder(dataSource)
                    .tablePrefix(PREFIX)
                    .claimTimeout(Duration.ofSeconds(1))
                    .archiveAfter(1)
                    .transactionManager(new ArchivingManager())
                    .build();
            quarantine = JdbcQuarantine.on(dataSource).tablePrefix(PREFIX).claimTimeout(Duration.ofSeconds(1));
            replays = JdbcReplays.on(dataSource).tablePrefix(PREFIX).claimTimeout(Duration.ofSeconds(1));
        }

        /** Archives everything after each transaction, unless another thread is at it. Every other time the windows of the store learn of it at once. */
        @SuppressWarnings("serial") // nobody serializes it
        private final class ArchivingManager extends JdbcTransactionManager {

            private final transient Lock turn = new ReentrantLock();
            private int transactions;

            ArchivingManager() {
                super(dataSource);
            }

            @Override
            protected void doCleanupAfterCompletion(Object transaction) {
                super.doCleanupAfterCompletion(transaction);
                if (turn.tryLock()) {
                    try {
                        archiver.run();
                        if (transactions++ % 2 == 0) {
                            store.archive(() -> true);
                        }
                    } finally {
                        turn.unlock();
                    }
                }
            }
        }

        @BeforeAll
        void createTables() {
            Schema.on(dataSource).tablePrefix(PREFIX).migrate();
        }

        /** They would age with each test, until they look like journals of consumers that are gone. */
        @AfterEach
        void deleteJournals() {
            for (String table : new String[] {"segment", "journal", "archive", "archive_page", "archive_filter"}) {
                TestDatabase.execute(dataSource, "delete from " + PREFIX + table);
            }
            store.forgetWindows();
        }

        @AfterAll
        void close() {
            dataSource.close();
            assertThat(archiver.built()).as("archives that the tests met").isGreaterThan(MANY);
        }

        @Test
        void grantsEveryMessageOnceToManyThreads() {
            ConcurrencyFuzz.run(store, SEEDS);
        }

        /** An archive is purged as a whole, see {@link ArchivePurgeTest}. */
        @Override
        public void purgesNoMoreThanTheLimitAtATime() {}

        @Test
        void answersAsTheMemoryStoreDoes() {
            StoreComparison.run(this, 10);
        }

        @Override
        public JournalStore store() {
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
        public void passTime(Duration duration) {
            TestDatabase.passTime(dataSource, PREFIX, duration);
            store.forgetWindows();
        }

        @Override
        public boolean movesStoredTimes() {
            return true;
        }

        @Override
        public boolean seesAllPartitions() {
            return false;
        }

        @Override
        public boolean purgesByTime() {
            return false;
        }
    }
}
