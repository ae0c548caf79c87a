package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.testkit.ConcurrencyFuzz;
import io.idempotency.testkit.StoreComparison;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
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

    abstract static class Contracts extends JournalContracts {

        private static final String PREFIX = "archived_";
        private static final int SEEDS = 5;
        private static final int MANY = 100;

        private final ArchivingManager manager;

        Contracts(TestDatabase database) {
            this(new ArchivingManager(database.pool(8), PREFIX));
        }

        private Contracts(ArchivingManager manager) {
            super(
                    manager.pool(),
                    PREFIX,
                    JournalStore.builder(manager.pool()).archiveAfter(1).transactionManager(manager));
            this.manager = manager;
            manager.tells(store());
        }

        @AfterAll
        void requireArchives() {
            assertThat(manager.built()).as("archives that the tests met").isGreaterThan(MANY);
        }

        @Test
        void grantsEveryMessageOnceToManyThreads() {
            ConcurrencyFuzz.run(store(), SEEDS);
        }

        /** An archive is purged as a whole, see {@link ArchivePurgeTest}. */
        @Override
        public void purgesNoMoreThanTheLimitAtATime() {}

        @Test
        void answersAsTheMemoryStoreDoes() {
            StoreComparison.run(this, 10);
        }
    }

    /** Archives everything after each transaction, unless another thread is at it. Every other time the windows of the store learn of it at once. */
    @SuppressWarnings("serial") // nobody serializes it
    private static final class ArchivingManager extends JdbcTransactionManager {

        private final transient HikariDataSource pool;
        private final transient Archiver archiver;
        private final transient Lock turn = new ReentrantLock();
        private transient @Nullable JournalStore told;
        private int transactions;

        ArchivingManager(HikariDataSource pool, String prefix) {
            super(pool);
            this.pool = pool;
            this.archiver = new Archiver(pool, prefix);
        }

        HikariDataSource pool() {
            return pool;
        }

        void tells(JournalStore store) {
            told = store;
        }

        int built() {
            return archiver.built();
        }

        @Override
        protected void doCleanupAfterCompletion(Object transaction) {
            super.doCleanupAfterCompletion(transaction);
            JournalStore store = told;
            if (store != null && turn.tryLock()) {
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
}
