package io.idempotency.jdbc;

import io.idempotency.store.IdempotencyException;
import java.time.Duration;
import java.util.function.LongSupplier;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.transaction.PlatformTransactionManager;

/** Builds a {@link TableStore}. Every setting has a default. Not thread-safe. */
public final class TableStoreBuilder {

    private final DataSource dataSource;
    private @Nullable PlatformTransactionManager transactionManager;
    private String tablePrefix = Tables.DEFAULT_PREFIX;
    private String schema = "";
    private Duration claimTimeout = StoreDatabase.DEFAULT_CLAIM_TIMEOUT;
    private Unjudged unjudged = Unjudged.REFUSE;
    private LongSupplier nanoTime = System::nanoTime;

    TableStoreBuilder(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    /** Sets the prefix of the table names; {@code idempotency_} by default. */
    public TableStoreBuilder tablePrefix(String prefix) {
        tablePrefix = prefix;
        return this;
    }

    /** Sets the database schema of the tables; the connection's own by default. */
    public TableStoreBuilder schema(String name) {
        schema = name;
        return this;
    }

    /**
     * Sets how long a claim waits for another transaction with the same message before it fails transiently; 5
     * seconds by default.
     */
    public TableStoreBuilder claimTimeout(Duration timeout) {
        claimTimeout = timeout;
        return this;
    }

    /**
     * Decides about deliveries at or before the greatest offset that the purge has deleted in their partition, and that have no row; {@link
     * Unjudged#REFUSE} by default. Messages without a position are not concerned.
     */
    public TableStoreBuilder unjudged(Unjudged choice) {
        unjudged = choice;
        return this;
    }

    /** Sets the clock of the process, for tests. */
    TableStoreBuilder nanoTime(LongSupplier clock) {
        nanoTime = clock;
        return this;
    }

    /** Sets the transaction manager of {@link TableStore#transactions()}; one of the store's own by default. */
    public TableStoreBuilder transactionManager(PlatformTransactionManager manager) {
        transactionManager = manager;
        return this;
    }

    /**
     * Returns the store. Does not connect yet.
     *
     * @throws IdempotencyException if prefix or schema is not a plain identifier, or the timeout is not positive
     */
    public TableStore build() {
        if (claimTimeout.isNegative() || claimTimeout.isZero()) {
            throw new IdempotencyException("The claim timeout must be positive, not " + claimTimeout);
        }
        return new TableStore(this);
    }

    Tables tables() {
        return new Tables(schema, tablePrefix);
    }

    Duration claimTimeout() {
        return claimTimeout;
    }

    Unjudged unjudged() {
        return unjudged;
    }

    LongSupplier nanoTime() {
        return nanoTime;
    }

    JdbcTransactions transactions() {
        return transactionManager == null
                ? JdbcTransactions.on(dataSource)
                : JdbcTransactions.on(dataSource, transactionManager);
    }
}
