package io.idempotency.jdbc;

import io.idempotency.jdbc.Segment.Content;
import io.idempotency.jdbc.Segment.Kind;
import io.idempotency.store.Claim;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Processed;
import io.idempotency.store.Transactions;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.transaction.PlatformTransactionManager;

/**
 * Remembers messages in journals: for each consumer and partition one row per poll, with the ids of all its messages. About 17 bytes a message
 * and one statement a poll; what is within the retention is kept in memory, too, at about 25 bytes a message.
 *
 * <p>A copy is known only in the partition of the first: producers send equal keys to equal partitions, so this holds unless messages have no key, the
 * number of partitions is changed, or topics are mirrored or renamed. Where copies may stray, use a {@link TableStore}.
 *
 * <p>For {@code STRONG} and {@code AT_MOST_ONCE}; it lends nothing. Claims take part in the transaction that is active on the data source. A claim of
 * duplicates only takes no round trip, one of new messages takes one for all partitions (on PostgreSQL; three elsewhere), and two more where
 * another process has appended meanwhile. Two claims of one partition wait for each other. Transactions at READ UNCOMMITTED are refused.
 *
 * <p>The tables are those of {@link Schema}. For PostgreSQL, MariaDB and H2. The database must not lose commits: after a restore of it, restart the
 * consumers. Thread-safe.
 */
public final class JournalStore implements ClaimStore {

    /** How long messages are remembered unless set otherwise. */
    public static final Duration DEFAULT_RETENTION = Duration.ofDays(1);

    /** How long a window is trusted about duplicates without a look at the database, unless set otherwise. */
    public static final Duration DEFAULT_REVALIDATION = Duration.ofMinutes(1);

    /** What becomes of a delivery that is older than what is remembered, such as after offsets were reset. */
    public enum Unjudged {
        /** It fails, and its partition stands still. */
        REFUSE,
        /** It is processed, perhaps again. */
        PROCESS,
        /** It is a duplicate. */
        SKIP
    }

    record Settings(
            Unjudged unjudged,
            long retentionMicros,
            long memoryBytes,
            boolean isRaisingHorizon,
            Duration revalidation) {}

    private final JdbcTransactions transactions;
    private final Connections connections;
    private final MessageTable table;
    private final Windows windows;
    private final Journaling journaling;
    private final JournalSearch search;
    private final boolean isRefusingStrays;

    private JournalStore(Builder builder) {
        this.isRefusingStrays = !builder.isAcceptingStrays;
        this.transactions = builder.transactions();
        this.connections = new Connections(transactions);
        this.table = new MessageTable(new Tables(builder.schema, builder.tablePrefix), builder.claimTimeout);
        this.windows = new Windows(table, builder.settings());
        this.journaling = new Journaling(table, connections, windows);
        this.search = new JournalSearch(table, connections);
    }

    /** Returns a store with the default settings on the data source. */
    public static JournalStore on(DataSource dataSource) {
        return builder(dataSource).build();
    }

    /** Returns a builder with the default settings on the data source. */
    public static Builder builder(DataSource dataSource) {
        return new Builder(dataSource);
    }

    /** {@inheritDoc} Reads the journals of partitions that are met for the first time: all that is not purged. */
    @Override
    public void prepare(List<Delivery> deliveries) {
        if (windows.areLoaded(deliveries) || JdbcTransactions.isAnyActive()) {
            return;
        }
        connections.alone("create journals", connection -> {
            Map<String, Integer> proposed = new HashMap<>();
            windows.create(connection, deliveries, proposed);
            table.storeNames(connection, proposed);
            return true;
        });
        connections.alone("read journals", connection -> {
            windows.load(connection, deliveries);
            return true;
        });
    }

    @Override
    public boolean isPartitioned() {
        return isRefusingStrays;
    }

    @Override
    public List<Claim> claim(List<Delivery> deliveries) {
        ActiveTransaction active = activeTransaction();
        return deliveries.isEmpty() ? List.of() : journaling.claim(active, deliveries);
    }

    @Override
    public void quarantine(Claim claim) {
        if (!claim.isGranted()) {
            throw new IdempotencyException(
                    "Only a granted message can be quarantined, not one that is " + claim.status());
        }
        append("quarantine a message", claim.delivery(), Kind.QUARANTINED);
    }

    /** {@inheritDoc} Reads all segments of the consumer, for there is no index. */
    @Override
    public Optional<Processed> find(MessageId id) {
        return search.find(id, proposed()).map(JournalSearch.Found::processed);
    }

    /**
     * {@inheritDoc} Reads all segments of the consumer, for there is no index. Other processes know when they look at the journal next: at their
     * next append, or after the time of {@link Builder#revalidation}.
     */
    @Override
    public boolean forget(MessageId id) {
        Optional<JournalSearch.Found> found = search.find(id, proposed());
        found.ifPresent(
                of -> append("forget a message", new Delivery(id, of.processed().position()), Kind.FORGOTTEN));
        return found.isPresent();
    }

    private Map<String, Integer> proposed() {
        return transactions.isActive() ? ActiveTransaction.of(table).proposedNames() : new HashMap<>();
    }

    private void append(String verb, Delivery delivery, Kind kind) {
        UUID id = MessageKey.idOf(delivery.id().value());
        Content content =
                new Content(kind, new long[] {id.getMostSignificantBits(), id.getLeastSignificantBits()}, new long[] {
                    delivery.position().offset()
                });
        prepare(List.of(delivery));
        connections.joining(verb, connection -> {
            ActiveTransaction active = activeTransaction();
            journaling.append(active, windows.of(connection, delivery, active), content);
            return true;
        });
    }

    /**
     * {@inheritDoc} Age is measured against the newest message of the same consumer and partition, so that a consumer which stands still forgets
     * nothing. Whole segments are forgotten, so that it may be a few more than the limit.
     */
    @Override
    public int purge(Duration olderThan, int limit) {
        JournalDialect.Purged purged = connections.alone(
                "purge journals",
                connection -> table.journals(connection).purge(connection, MessageTable.micros(olderThan), limit));
        if (purged.head() != null) {
            windows.raiseHorizon(purged.head());
        }
        return purged.messages();
    }

    @Override
    public Transactions transactions() {
        return transactions;
    }

    /** Returns how many bytes of memory the journals take. */
    public long memoryBytes() {
        return windows.bytes();
    }

    /** Reads all journals anew when they are met next. */
    void forgetWindows() {
        windows.dropAll();
    }

    private ActiveTransaction activeTransaction() {
        transactions.requireClaimable();
        return ActiveTransaction.of(table);
    }

    /** The settings of a journal store. */
    public static final class Builder {

        private final DataSource dataSource;
        private @Nullable PlatformTransactionManager transactionManager;
        private String tablePrefix = Tables.DEFAULT_PREFIX;
        private String schema = "";
        private Duration claimTimeout = TableStore.DEFAULT_CLAIM_TIMEOUT;
        private Duration retention = DEFAULT_RETENTION;
        private Duration revalidation = DEFAULT_REVALIDATION;
        private Unjudged unjudged = Unjudged.REFUSE;
        private long memoryBytes = Runtime.getRuntime().maxMemory() / 2;
        private boolean isRaisingHorizon;
        private boolean isAcceptingStrays;

        private Builder(DataSource dataSource) {
            this.dataSource = dataSource;
        }

        /** What the names of the tables begin with; {@code idempotency_} by default. */
        public Builder tablePrefix(String prefix) {
            tablePrefix = prefix;
            return this;
        }

        /** The database schema of the tables; the connection's own by default. */
        public Builder schema(String name) {
            schema = name;
            return this;
        }

        /** How long a claim waits for another one of the same partition, before it fails as transient; 5 seconds by default. */
        public Builder claimTimeout(Duration timeout) {
            claimTimeout = timeout;
            return this;
        }

        /** What begins and ends the transactions of {@link #transactions()}; a manager of the store's own by default. */
        public Builder transactionManager(PlatformTransactionManager manager) {
            transactionManager = manager;
            return this;
        }

        /** How long messages are remembered, by the {@link Purger}; a day by default. It is forgotten in memory in quarters of it. */
        public Builder retention(Duration duration) {
            retention = duration;
            return this;
        }

        /** How long a duplicate is told from memory before the database is asked whether it is forgotten; a minute by default. */
        public Builder revalidation(Duration duration) {
            revalidation = duration;
            return this;
        }

        /** What becomes of a delivery that is older than what is remembered; refused by default. */
        public Builder unjudged(Unjudged choice) {
            unjudged = choice;
            return this;
        }

        /** How many bytes of memory the journals may take; half of the heap by default. */
        public Builder memory(long bytes) {
            memoryBytes = bytes;
            return this;
        }

        /** Takes messages without a key and from retry topics, too, whose copies in other partitions it does not know. */
        public Builder acceptStrays() {
            isAcceptingStrays = true;
            return this;
        }

        /** Forgets messages before their time where memory is full, and warns; by default that fails. */
        public Builder raiseHorizonIfFull() {
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
                throw new IdempotencyException("Claim timeout and retention of a journal are positive, not "
                        + claimTimeout + " and " + retention);
            }
            if (memoryBytes <= 0 || revalidation.isNegative()) {
                throw new IdempotencyException("Memory and revalidation of a journal are not negative: " + memoryBytes
                        + " bytes and " + revalidation);
            }
            return new JournalStore(this);
        }

        private Settings settings() {
            return new Settings(unjudged, MessageTable.micros(retention), memoryBytes, isRaisingHorizon, revalidation);
        }

        private JdbcTransactions transactions() {
            return transactionManager == null
                    ? JdbcTransactions.on(dataSource)
                    : JdbcTransactions.on(dataSource, transactionManager);
        }
    }
}
