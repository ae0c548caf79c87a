package io.idempotency.jdbc;

import io.idempotency.jdbc.JournalSegment.Content;
import io.idempotency.jdbc.JournalSegment.Kind;
import io.idempotency.store.Claim;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.JournalStatistics;
import io.idempotency.store.MessageId;
import io.idempotency.store.Processed;
import io.idempotency.store.StoredMessages;
import io.idempotency.store.Transactions;
import io.idempotency.store.UnjudgedStatistics;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.ToIntFunction;
import java.util.function.UnaryOperator;
import javax.sql.DataSource;

/**
 * Remembers messages in journals: one row for each consumer, partition and poll, with the ids of all its messages. A poll takes one statement, and a message
 * about 17 bytes in the database. The newest ids are also kept in memory, about 26 bytes for each message. Older messages are moved to archives, with about 23 bytes in
 * the database, of which a filter is in memory, 2.3 bytes for each message (see {@link JournalStoreBuilder#archiveAfter}).
 *
 * <p>It detects a duplicate only in the partition of the original. Producers send equal keys to equal partitions, so this is enough unless messages have no
 * key, the number of partitions changes (see {@link JournalStoreBuilder#partitions}), or topics are mirrored or renamed (see
 * {@link JournalStoreBuilder#streams}). If copies may be in any partition, use a {@link TableStore}.
 *
 * <p>It serves {@code STRONG} and {@code AT_MOST_ONCE}; it has no leases. Claims join the transaction that is active on the data source. A claim of
 * only duplicates takes no round trip, or one if an archive may have them. A claim of new messages takes one for all partitions (three on databases other than PostgreSQL), and two more if
 * another process has appended meanwhile. Two claims of one partition wait for each other. Transactions at READ UNCOMMITTED are refused.
 *
 * <p>It runs on PostgreSQL, MariaDB and H2, with the tables of {@link Schema}. A database that loses commits breaks its memory: after a restore, restart the
 * consumers. Thread-safe.
 */
public final class JournalStore implements ClaimStore, JournalStatistics, UnjudgedStatistics {

    /** How long messages are remembered unless set otherwise. */
    public static final Duration DEFAULT_RETENTION = Duration.ofDays(1);

    /** How many messages of a partition stay exact in memory unless set otherwise. */
    public static final int DEFAULT_ARCHIVE_AFTER = 500_000;

    /** How long duplicates are answered from memory without a look at the database, unless set otherwise. */
    public static final Duration DEFAULT_REVALIDATION = Duration.ofMinutes(1);

    record Settings(
            UnjudgedRecords unjudged,
            Duration retention,
            long memoryBytes,
            boolean isForgettingOldest,
            Duration revalidation,
            int archiveAfter,
            UnaryOperator<String> streams,
            ToIntFunction<String> partitions) {}

    private final JdbcTransactions transactions;
    private final Connections connections;
    private final StoreDatabase database;
    private final Retentions retentions;
    private final JournalRound round;
    private final ArchiveUpkeep archives;
    private final JournalWindows windows;
    private final JournalClaims claims;
    private final JournalMessages messages;
    private final boolean isPartitioned;
    private final Settings settings;

    JournalStore(JournalStoreBuilder builder) {
        this.settings = builder.settings();
        this.isPartitioned = builder.isPartitioned();
        this.transactions = builder.transactions();
        this.connections = new Connections(transactions);
        Tables tables = builder.tables();
        this.database = new StoreDatabase(tables, builder.claimTimeout());
        this.retentions = Retentions.ofJournals(tables);
        this.round = new JournalRound(database);
        this.archives = new ArchiveUpkeep(connections, database, retentions, tables, settings.archiveAfter());
        this.windows = new JournalWindows(database, new PartitionCounts(database, tables), retentions, settings);
        this.claims = new JournalClaims(database, connections, windows);
        this.messages = new JournalMessages(
                new JournalMessages.Shared(transactions, connections, database, retentions, windows, claims));
    }

    /** Returns a store with the default settings on the data source. */
    public static JournalStore on(DataSource dataSource) {
        return builder(dataSource).build();
    }

    /** Returns a builder with the default settings on the data source. */
    public static JournalStoreBuilder builder(DataSource dataSource) {
        return new JournalStoreBuilder(dataSource);
    }

    /** {@inheritDoc} Reads the journals of new partitions: the filters of their archives, and all segments that are neither archived nor purged. */
    @Override
    public void prepare(List<Delivery> deliveries) {
        if (windows.areLoaded(deliveries) || JdbcTransactions.isAnyActive()) {
            return;
        }
        Map<JournalPlace, Integer> partitions = windows.absent(deliveries);
        connections.alone("create journals", connection -> {
            Map<String, Integer> proposed = new HashMap<>();
            windows.create(connection, partitions, proposed);
            database.storeNames(connection, proposed);
            return true;
        });
        connections.alone("read journals", connection -> {
            windows.load(connection, partitions.keySet());
            return true;
        });
    }

    /** {@inheritDoc} Its messages stay in memory, because it may come back. If memory is needed, they are dropped first. */
    @Override
    public void leave(String consumer, String stream, int partition) {
        windows.leave(consumer, stream, partition);
    }

    @Override
    public void register(String consumer) {
        retentions.met(consumer);
    }

    @Override
    public Optional<Duration> remembers(String consumer) {
        return Optional.of(settings.retention());
    }

    @Override
    public boolean isPartitioned() {
        return isPartitioned;
    }

    @Override
    public List<Claim> claim(List<Delivery> deliveries) {
        ActiveTransaction active = activeTransaction();
        return deliveries.isEmpty() ? List.of() : claims.claim(active, deliveries);
    }

    @Override
    public void quarantine(Claim claim) {
        if (!claim.isGranted()) {
            throw new IdempotencyException(
                    "Only a granted message can be quarantined, not one that is " + claim.status());
        }
        Delivery delivery = claim.delivery();
        prepare(List.of(delivery));
        append("quarantine a message", windows.place(delivery), Content.of(Kind.QUARANTINED, List.of(delivery)));
    }

    /** {@inheritDoc} Appends a segment to each journal. */
    @Override
    public void expire(List<Claim> granted) {
        Map<JournalPlace, List<Delivery>> places = new HashMap<>();
        for (Claim claim : granted) {
            places.computeIfAbsent(windows.place(claim.delivery()), place -> new ArrayList<>())
                    .add(claim.delivery());
        }
        places.forEach((place, deliveries) -> append("expire messages", place, Content.of(Kind.EXPIRED, deliveries)));
    }

    /** {@inheritDoc} Two round trips, and one more if another process has appended meanwhile. */
    @Override
    public void unquarantine(Delivery delivery) {
        prepare(List.of(delivery));
        JournalPlace place = windows.place(delivery);
        connections.joining("take a message out of quarantine", connection -> {
            ActiveTransaction active = activeTransaction();
            JournalWindow window = windows.of(connection, place, active);
            // A forgotten entry is new, wherever the horizon is.
            claims.append(
                    active,
                    window,
                    Content.of(Kind.FORGOTTEN, List.of(delivery)),
                    (known, at) -> known == null ? at <= window.horizonOffset() : known.kind() == Kind.QUARANTINED);
            return true;
        });
    }

    /**
     * {@inheritDoc} Reads all segments of the consumer that are not archived, because they have no index, and a page of each archive. The time of an archived message is
     * rounded to 65,535 parts of a quarter of the retention, and again at each merge.
     */
    @Override
    public Optional<Processed> find(MessageId id) {
        return messages.find(id).map(JournalSearch.Found::processed);
    }

    /**
     * {@inheritDoc} Reads the same as {@link #find}. Another process notices at its next look at the journal: at its
     * next append, or after the time of {@link JournalStoreBuilder#revalidation}.
     */
    @Override
    public boolean forget(MessageId id) {
        return messages.forget(id);
    }

    @Override
    public StoredMessages messages() {
        return messages;
    }

    private void append(String verb, JournalPlace place, Content content) {
        connections.joining(verb, connection -> {
            ActiveTransaction active = activeTransaction();
            claims.append(active, windows.of(connection, place, active), content);
            return true;
        });
    }

    /**
     * {@inheritDoc} Age is measured against the newest message of the same consumer and partition, so that a consumer that stands still forgets
     * nothing. Whole segments are forgotten, which may be a few messages more than the limit, and whole archives, which takes no longer. The given time is stored in the tables, beside the names of the
     * consumers that used this store; a time shorter than the stored one has no effect. Purges all consumers that have a stored time, of any application.
     * A quarantined message is remembered as long as the quarantine of these tables has it.
     */
    @Override
    public int purge(Duration olderThan, int limit) {
        retentions.say(connections, StoredTime.micros(olderThan));
        JournalDialect.Purged purged;
        do {
            purged = connections.alone(
                    "purge journals", connection -> round.purge(connection, retentions.all(connection), limit));
            if (purged.head() != null) {
                windows.purged(purged.head(), purged.carried());
            }
        } while (purged.head() != null && purged.messages() == 0);
        return purged.messages();
    }

    /** {@inheritDoc} The clock is the database's. */
    @Override
    public Instant now() {
        return StoredTime.instant(connections.onCurrent("read the time", database::now));
    }

    @Override
    public Transactions transactions() {
        return transactions;
    }

    /**
     * Builds archives of the journals, as far as there is something to do, and takes over those that others have built.
     *
     * @param isGoingOn asked after each transaction
     */
    void archive(BooleanSupplier isGoingOn) {
        archives.run(isGoingOn);
        new JournalLookup(database, windows).learnAll(connections);
    }

    /** Returns the retention that this store was built with. */
    Duration retention() {
        return settings.retention();
    }

    @Override
    public long memoryBytes() {
        return windows.bytes();
    }

    @Override
    public long rememberedMessages() {
        return windows.all().stream().mapToLong(JournalWindow::size).sum();
    }

    @Override
    public long archivedMessages() {
        return windows.all().stream()
                .mapToLong(window -> window.archives().messages())
                .sum();
    }

    @Override
    public long catchUps() {
        return windows.load().catchUps();
    }

    @Override
    public long reloads() {
        return windows.load().reloads();
    }

    @Override
    public long unjudged(String consumer, Action action) {
        return settings.unjudged().unjudged(consumer, action);
    }

    /** Drops all windows, so that the next claims read the journals anew. */
    void forgetWindows() {
        windows.dropAll();
    }

    private ActiveTransaction activeTransaction() {
        transactions.requireClaimable();
        return ActiveTransaction.of(database);
    }
}
