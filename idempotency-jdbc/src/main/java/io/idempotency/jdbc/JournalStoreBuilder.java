package io.idempotency.jdbc;

import io.idempotency.store.IdempotencyException;
import java.time.Duration;
import java.util.function.ToIntFunction;
import java.util.function.UnaryOperator;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.transaction.PlatformTransactionManager;

/** Builds a {@link JournalStore}. Every setting has a default. Not thread-safe. */
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
    private boolean isForgettingOldest;
    private boolean isAcceptingMissedDuplicates;
    private int archiveAfter = JournalStore.DEFAULT_ARCHIVE_AFTER;
    private UnaryOperator<String> streams = UnaryOperator.identity();
    private ToIntFunction<String> partitions = topic -> 0;

    JournalStoreBuilder(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    /** Sets the prefix of the table names; {@code idempotency_} by default. */
    public JournalStoreBuilder tablePrefix(String prefix) {
        tablePrefix = prefix;
        return this;
    }

    /** Sets the database schema of the tables; the connection's own by default. */
    public JournalStoreBuilder schema(String name) {
        schema = name;
        return this;
    }

    /** Sets how long a claim waits for another claim of the same partition before it fails transiently; 5 seconds by default. */
    public JournalStoreBuilder claimTimeout(Duration timeout) {
        claimTimeout = timeout;
        return this;
    }

    /** Sets the transaction manager of {@link JournalStore#transactions()}; one of the store's own by default. */
    public JournalStoreBuilder transactionManager(PlatformTransactionManager manager) {
        transactionManager = manager;
        return this;
    }

    /** Sets how long messages are remembered; a day by default. The {@link Purger} forgets them. Memory is freed in quarters of the retention. */
    public JournalStoreBuilder retention(Duration duration) {
        retention = duration;
        return this;
    }

    /** Sets how long duplicates are answered from memory before the database is asked whether they were forgotten; a minute by default. */
    public JournalStoreBuilder revalidation(Duration duration) {
        revalidation = duration;
        return this;
    }

    /** Decides about deliveries that are older than the journal remembers; {@link Unjudged#REFUSE} by default. */
    public JournalStoreBuilder unjudged(Unjudged choice) {
        unjudged = choice;
        return this;
    }

    /** Sets how many bytes of memory the journals may take; half of the heap by default. */
    public JournalStoreBuilder memory(long bytes) {
        memoryBytes = bytes;
        return this;
    }

    /**
     * Sets how many messages of a partition stay as they are, exact in memory; 500,000 by default. When there are twice as many, so many of the oldest are moved to an
     * archive: pages in the database, of which only a filter is in memory, about 2.3 bytes for each message. The {@link Purger} does that, and
     * takes 36 bytes of memory for each of them meanwhile. It does so for the journals of all applications on these tables, so give all of them the same number. 0 builds
     * no archives.
     */
    public JournalStoreBuilder archiveAfter(int messages) {
        archiveAfter = messages;
        return this;
    }

    /** Accepts messages without a key and from retry topics. Their duplicates in other partitions are not detected. */
    public JournalStoreBuilder acceptMissedDuplicates() {
        isAcceptingMissedDuplicates = true;
        return this;
    }

    /**
     * Sets a function that names the journals of a topic; by default the topic's own name. Give a renamed or mirrored topic its old name, and it keeps
     * its memory. Its offsets begin anew, so also set {@link #unjudged} to {@link Unjudged#PROCESS}. A topic that is deleted and created again is refused
     * up to the offset that the old one had forgotten. Give it another name, such as one with its id:
     * {@code topic -> topic + "/" + topicIds.apply(topic)}. Called for each partition of a claim.
     */
    public JournalStoreBuilder streams(UnaryOperator<String> ofTopic) {
        streams = ofTopic;
        return this;
    }

    /**
     * Sets a function that returns the number of partitions of a topic, such as {@code TopicPartitions.of(admin)}; by default 0, for unknown. The store
     * calls it when it meets a partition for the first time, outside any transaction, and warns if the number has changed.
     */
    public JournalStoreBuilder partitions(ToIntFunction<String> ofTopic) {
        partitions = ofTopic;
        return this;
    }

    /** Forgets the oldest messages before their time if memory is full, and warns. By default claims fail. */
    public JournalStoreBuilder forgetOldestIfFull() {
        isForgettingOldest = true;
        return this;
    }

    /**
     * Returns the store. Does not connect yet.
     *
     * @throws IdempotencyException if prefix or schema is not a plain identifier, or a time or size is not positive
     */
    public JournalStore build() {
        if (claimTimeout.isNegative() || claimTimeout.isZero() || retention.isNegative() || retention.isZero()) {
            throw new IdempotencyException("Claim timeout and retention of a journal must be positive, not "
                    + claimTimeout + " and " + retention);
        }
        if (archiveAfter < 0) {
            throw new IdempotencyException("A journal cannot keep " + archiveAfter + " messages in memory");
        }
        if (memoryBytes <= 0 || revalidation.isNegative()) {
            throw new IdempotencyException("Memory and revalidation of a journal must not be negative: " + memoryBytes
                    + " bytes and " + revalidation);
        }
        return new JournalStore(this);
    }

    JournalStore.Settings settings() {
        return new JournalStore.Settings(
                new UnjudgedRecords(unjudged),
                retention,
                memoryBytes,
                isForgettingOldest,
                revalidation,
                archiveAfter,
                streams,
                partitions);
    }

    boolean isPartitioned() {
        return !isAcceptingMissedDuplicates;
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
