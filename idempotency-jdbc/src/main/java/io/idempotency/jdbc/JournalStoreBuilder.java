package io.idempotency.jdbc;

import io.idempotency.jdbc.JournalStore.Unjudged;
import io.idempotency.store.IdempotencyException;
import java.time.Duration;
import java.util.function.ToIntFunction;
import java.util.function.UnaryOperator;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.transaction.PlatformTransactionManager;

/** The settings of a {@link JournalStore}. Not thread-safe. */
public final class JournalStoreBuilder {

    private final DataSource dataSource;
    private @Nullable PlatformTransactionManager transactionManager;
    private String tablePrefix = Tables.DEFAULT_PREFIX;
    private String schema = "";
    private Duration claimTimeout = StoreDatabase.DEFAULT_CLAIM_TIMEOUT;
    private Duration retention = JournalStore.DEFAULT_RETENTION;
    private Duration revalidation = JournalStore.DEFAULT_REVALIDATION;
    private Unjudged unjudged = Unjudged.REFUSE;
    private long memoryBytes = Runtime.getRuntime().maxMemory() / 2;
    private boolean isRaisingHorizon;
    private boolean isAcceptingStrays;
    private UnaryOperator<String> streams = UnaryOperator.identity();
    private ToIntFunction<String> partitions = topic -> 0;

    JournalStoreBuilder(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    /** What the names of the tables begin with; {@code idempotency_} by default. */
    public JournalStoreBuilder tablePrefix(String prefix) {
        tablePrefix = prefix;
        return this;
    }

    /** The database schema of the tables; the connection's own by default. */
    public JournalStoreBuilder schema(String name) {
        schema = name;
        return this;
    }

    /** How long a claim waits for another one of the same partition, before it fails as transient; 5 seconds by default. */
    public JournalStoreBuilder claimTimeout(Duration timeout) {
        claimTimeout = timeout;
        return this;
    }

    /** What begins and ends the transactions of {@link #transactions()}; a manager of the store's own by default. */
    public JournalStoreBuilder transactionManager(PlatformTransactionManager manager) {
        transactionManager = manager;
        return this;
    }

    /** How long messages are remembered, by the {@link Purger}; a day by default. It is forgotten in memory in quarters of it. */
    public JournalStoreBuilder retention(Duration duration) {
        retention = duration;
        return this;
    }

    /** How long a duplicate is told from memory before the database is asked whether it is forgotten; a minute by default. */
    public JournalStoreBuilder revalidation(Duration duration) {
        revalidation = duration;
        return this;
    }

    /** What becomes of a delivery that is older than what is remembered; refused by default. */
    public JournalStoreBuilder unjudged(Unjudged choice) {
        unjudged = choice;
        return this;
    }

    /** How many bytes of memory the journals may take; half of the heap by default. */
    public JournalStoreBuilder memory(long bytes) {
        memoryBytes = bytes;
        return this;
    }

    /** Takes messages without a key and from retry topics, too, whose copies in other partitions it does not know. */
    public JournalStoreBuilder acceptStrays() {
        isAcceptingStrays = true;
        return this;
    }

    /**
     * Names the journals of a topic; by the topic's own name by default. A topic that was renamed or is mirrored keeps its memory under its old name; its
     * offsets begin anew, so what is older than the journal remembers is to be processed: {@link #unjudged}. One that is deleted and created again is
     * refused up to the offset that the old one had forgotten, unless it gets another name, such as one with its id:
     * {@code topic -> topic + "/" + topicIds.apply(topic)}. Called for each partition of a claim.
     */
    public JournalStoreBuilder streams(UnaryOperator<String> ofTopic) {
        streams = ofTopic;
        return this;
    }

    /**
     * Says how many partitions a topic has, such as {@code TopicPartitions.of(admin)}; 0, as by default, if it is not known. If the number has changed when a
     * partition is met for the first time, that is warned of. Called outside any transaction.
     */
    public JournalStoreBuilder partitions(ToIntFunction<String> ofTopic) {
        partitions = ofTopic;
        return this;
    }

    /** Forgets messages before their time where memory is full, and warns; by default that fails. */
    public JournalStoreBuilder raiseHorizonIfFull() {
        isRaisingHorizon = true;
        return this;
    }

    /**
     * Returns the store. Does not connect yet.
     *
     * @throws IdempotencyException if prefix or schema is not a plain identifier, or a time or size is not positive
     */
    public JournalStore build() {
        if (claimTimeout.isNegative() || claimTimeout.isZero() || retention.isNegative() || retention.isZero()) {
            throw new IdempotencyException(
                    "Claim timeout and retention of a journal are positive, not " + claimTimeout + " and " + retention);
        }
        if (memoryBytes <= 0 || revalidation.isNegative()) {
            throw new IdempotencyException("Memory and revalidation of a journal are not negative: " + memoryBytes
                    + " bytes and " + revalidation);
        }
        return new JournalStore(this);
    }

    JournalStore.Settings settings() {
        return new JournalStore.Settings(
                unjudged,
                StoredTime.micros(retention),
                memoryBytes,
                isRaisingHorizon,
                revalidation,
                streams,
                partitions);
    }

    boolean isRefusingStrays() {
        return !isAcceptingStrays;
    }

    Tables tables() {
        return new Tables(schema, tablePrefix);
    }

    Duration claimTimeout() {
        return claimTimeout;
    }

    JdbcTransactions transactions() {
        return transactionManager == null
                ? JdbcTransactions.on(dataSource)
                : JdbcTransactions.on(dataSource, transactionManager);
    }
}
