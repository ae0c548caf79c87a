package io.idempotency.jdbc;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.testkit.ClaimContract;
import io.idempotency.testkit.KeyOrderContract;
import io.idempotency.testkit.OperatorContract;
import io.idempotency.testkit.QuarantineContract;
import io.idempotency.testkit.ReplayContract;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;

/** The contracts that journals keep, and what they need of a store. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class JournalContracts
        implements ClaimContract, QuarantineContract, KeyOrderContract, ReplayContract, OperatorContract {

    private static final List<String> TABLES =
            List.of("segment", "journal", "archive", "archive_page", "archive_filter");

    private final HikariDataSource dataSource;
    private final String prefix;
    private final JournalStore store;
    private final JdbcQuarantine quarantine;
    private final JdbcReplays replays;

    /**
     * Names the tables.
     *
     * @param builder of the store, with its own settings
     */
    JournalContracts(HikariDataSource dataSource, String prefix, JournalStoreBuilder builder) {
        this.dataSource = dataSource;
        this.prefix = prefix;
        this.store =
                builder.tablePrefix(prefix).claimTimeout(Duration.ofSeconds(1)).build();
        this.quarantine = JdbcQuarantine.on(dataSource).tablePrefix(prefix).claimTimeout(Duration.ofSeconds(1));
        this.replays = JdbcReplays.on(dataSource).tablePrefix(prefix).claimTimeout(Duration.ofSeconds(1));
    }

    @BeforeAll
    void createTables() {
        Schema.on(dataSource).tablePrefix(prefix).migrate();
    }

    /** They would age with each test, until they look like journals of consumers that are gone. */
    @AfterEach
    void deleteJournals() {
        TABLES.forEach(table -> TestDatabase.execute(dataSource, "delete from " + prefix + table));
        store.forgetWindows();
    }

    @AfterAll
    void close() {
        dataSource.close();
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
        TestDatabase.passTime(dataSource, prefix, duration);
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
