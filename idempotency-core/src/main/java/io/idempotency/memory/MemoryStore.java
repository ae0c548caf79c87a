package io.idempotency.memory;

import static java.util.Objects.requireNonNull;

import io.idempotency.store.Claim;
import io.idempotency.store.ClaimLostException;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.LeaseStore;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.Processed;
import io.idempotency.store.StoredMessages;
import io.idempotency.store.StoredResult;
import io.idempotency.store.Transactions;
import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiPredicate;
import java.util.function.Predicate;

/**
 * Remembers messages in memory, for tests and for consumers that need no durability. It is the reference for other stores.
 *
 * <p>Its transactions are its own, bound to the thread; {@link #transactions()} begins them. A claim waits for another running transaction that
 * holds the message. If transactions wait for each other, the one begun last fails at once with {@link TransientStoreException}. Only a running
 * transaction itself sees its changes. The store takes no part in database transactions: if one rolls back, its messages stay remembered, so
 * consume outside of it.
 *
 * <p>Bounded: beyond {@code maxMessages} the messages that were settled longest ago are forgotten first, then those whose
 * lease ended; live leases and messages in a {@link MemoryQuarantine} never are. Time is the given clock's, so that tests can move it; only waiting is measured in real
 * time. Thread-safe.
 */
public final class MemoryStore implements LeaseStore {

    /** How many messages are remembered unless the builder says otherwise. */
    public static final int DEFAULT_MAX_MESSAGES = 100_000;

    /** How long a claim waits for another transaction unless the builder says otherwise. */
    public static final Duration DEFAULT_CLAIM_TIMEOUT = Duration.ofSeconds(5);

    private static final Comparator<MessageId> KEY_ORDER =
            Comparator.comparing(MessageId::consumer).thenComparing(MessageId::value);

    private final InstantSource clock;
    private final int maxMessages;
    private final MemoryTransactions transactions;
    private final MemoryTable<MemoryRow> rows;
    private final MemoryTable<Map<String, StoredResult>> results;
    private final MemoryLeases leases;
    private final MemoryMessages messages;
    private volatile Predicate<MessageId> kept = id -> false;

    private MemoryStore(Builder builder) {
        this.clock = builder.clock;
        this.maxMessages = builder.maxMessages;
        this.transactions = new MemoryTransactions(builder.claimTimeout, this::forgetBeyondMax);
        this.rows = transactions.newTable();
        this.results = transactions.newTable();
        this.leases = new MemoryLeases(clock, transactions, rows);
        this.messages = new MemoryMessages(clock, transactions, rows, results);
    }

    /** Returns a store with the defaults. */
    public static MemoryStore create() {
        return builder().build();
    }

    /** Returns a store that remembers so many messages. */
    public static MemoryStore of(int maxMessages) {
        return builder().maxMessages(maxMessages).build();
    }

    /** Returns a builder with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    @Override
    public Transactions transactions() {
        return transactions;
    }

    InstantSource clock() {
        return clock;
    }

    MemoryTable<MemoryRow> rows() {
        return rows;
    }

    /** Returns the results of messages, by their names. */
    MemoryTable<Map<String, StoredResult>> results() {
        return results;
    }

    MemoryTransactions memoryTransactions() {
        return transactions;
    }

    @Override
    public void register(String consumer) {
        messages.register(consumer);
    }

    @Override
    public List<Claim> claim(List<Delivery> deliveries) {
        MemoryTransaction transaction = transactions.required("Claiming");
        return transactions.exclusively(() -> {
            Map<MessageId, Delivery> firsts = new HashMap<>();
            deliveries.forEach(delivery -> firsts.putIfAbsent(delivery.id(), delivery));
            Map<MessageId, Claim> answers = new HashMap<>();
            // One order for everybody, as in the databases: it makes deadlocks rare.
            firsts.values().stream()
                    .sorted(Comparator.comparing(Delivery::id, KEY_ORDER))
                    .forEach(first -> answers.put(first.id(), claim(first, transaction)));
            Set<MessageId> answered = new HashSet<>();
            return deliveries.stream()
                    .map(delivery -> {
                        Claim first = requireNonNull(answers.get(delivery.id()));
                        return answered.add(delivery.id()) ? first : copy(delivery, first);
                    })
                    .toList();
        });
    }

    private Claim claim(Delivery delivery, MemoryTransaction transaction) {
        transactions.awaitOthers(rows, delivery.id(), transaction);
        Instant now = clock.instant();
        MemoryRow row = rows.get(delivery.id(), transaction);
        if (row != null && row.isSettled()) {
            return row.answer(delivery, now);
        }
        if (row != null && row.isLive(now)) {
            return Claim.inProgress(delivery, row.attempt(), row.until());
        }
        rows.change(delivery.id(), MemoryRow.processed(delivery.position(), now), transaction);
        return Claim.granted(delivery);
    }

    private Claim copy(Delivery delivery, Claim first) {
        Instant now = clock.instant();
        return first.isGranted()
                ? MemoryRow.processed(first.delivery().position(), now).answer(delivery, now)
                : new Claim(delivery, first.status(), first.attempt(), 0, first.until(), first.processed());
    }

    @Override
    public void quarantine(Claim claim) {
        if (!claim.isGranted()) {
            throw new IdempotencyException(
                    "Only a granted message can be quarantined, not one that is " + claim.status());
        }
        MessageId id = claim.delivery().id();
        Position position = claim.delivery().position();
        transactions.changing(rows, id, transaction -> {
            MemoryRow row = rows.get(id, transaction);
            boolean lost = claim.isLease() ? row == null || !row.isLeaseOf(claim) : row != null && !row.isSettled();
            if (lost) {
                throw new ClaimLostException("quarantine", List.of(claim));
            }
            Instant now = clock.instant();
            MemoryRow before = row == null ? MemoryRow.processed(position, now) : row;
            rows.change(id, before.quarantined(position, now), transaction);
        });
    }

    @Override
    public void expire(List<Claim> claims) {
        List<Claim> leased = claims.stream().filter(Claim::isLease).toList();
        if (!leased.isEmpty()) {
            leases.expire(leased);
        }
        for (Claim claim : claims) {
            MessageId id = claim.delivery().id();
            if (!claim.isLease()) {
                transactions.changing(
                        rows,
                        id,
                        transaction -> rows.change(
                                id, requireNonNull(rows.get(id, transaction)).expired(clock.instant()), transaction));
            }
        }
    }

    @Override
    public void unquarantine(Delivery delivery) {
        transactions.changing(rows, delivery.id(), transaction -> {
            MemoryRow row = rows.get(delivery.id(), transaction);
            if (row != null && row.isQuarantined()) {
                rows.change(delivery.id(), row.released(0, clock.instant()), transaction);
            }
        });
    }

    @Override
    public Optional<Processed> find(MessageId id) {
        return transactions.exclusively(() -> Optional.ofNullable(rows.get(id, transactions.active()))
                .filter(MemoryRow::isSettled)
                .map(row -> row.processed(clock.instant())));
    }

    /** Returns whether a message is processed, as the running transaction sees it. */
    boolean isProcessed(MessageId id) {
        MemoryRow row = transactions.exclusively(() -> rows.get(id, transactions.active()));
        return row != null && row.isProcessed();
    }

    @Override
    public boolean forget(MessageId id) {
        return messages.forget(id);
    }

    @Override
    public StoredMessages messages() {
        return messages;
    }

    @Override
    public int purge(Duration olderThan, int limit) {
        transactions.refuseActive("Purging");
        return transactions.exclusively(() -> {
            Instant horizon = clock.instant().minus(olderThan);
            return remove(limit, (id, row) -> row.lastUse().isBefore(horizon) && !isKept(id, row));
        });
    }

    /** Remembers quarantined messages as long as the quarantine has them. */
    void keepAll(Predicate<MessageId> quarantined) {
        kept = kept.or(quarantined);
    }

    private boolean isKept(MessageId id, MemoryRow row) {
        return row.isQuarantined() && kept.test(id);
    }

    private int remove(int limit, BiPredicate<MessageId, MemoryRow> matches) {
        List<MessageId> removed = rows.remove(limit, matches);
        results.remove(removed);
        return removed.size();
    }

    private void forgetBeyondMax() {
        int surplus = rows.size() - maxMessages;
        if (surplus > 0) {
            int forgotten = remove(surplus, (id, row) -> row.isSettled() && !isKept(id, row));
            Instant now = clock.instant();
            remove(surplus - forgotten, (id, row) -> !row.isLive(now) && !isKept(id, row));
        }
    }

    @Override
    public Instant now() {
        return clock.instant();
    }

    @Override
    public List<Claim> lease(List<Delivery> deliveries, Duration length) {
        return leases.lease(deliveries, length);
    }

    @Override
    public List<Claim> renew(List<Claim> leased, Duration length) {
        return leases.renew(leased, length);
    }

    @Override
    public void complete(List<Claim> leased) {
        leases.complete(leased);
    }

    @Override
    public void release(List<Claim> leased) {
        leases.release(leased);
    }

    /** Collects the settings of a memory store. Not thread-safe. */
    public static final class Builder {

        private InstantSource clock = InstantSource.system();
        private int maxMessages = DEFAULT_MAX_MESSAGES;
        private Duration claimTimeout = DEFAULT_CLAIM_TIMEOUT;

        private Builder() {}

        /** Sets the store's clock; the system's by default. */
        public Builder clock(InstantSource source) {
            this.clock = source;
            return this;
        }

        /** Sets how many messages are remembered; {@value #DEFAULT_MAX_MESSAGES} by default. */
        public Builder maxMessages(int messages) {
            if (messages < 1) {
                throw new IdempotencyException("A memory store remembers at least 1 message, not " + messages);
            }
            this.maxMessages = messages;
            return this;
        }

        /** Sets how long a claim waits for another transaction, in real time; 5 s by default. */
        public Builder claimTimeout(Duration timeout) {
            this.claimTimeout = timeout;
            return this;
        }

        /** Returns an empty store. */
        public MemoryStore build() {
            return new MemoryStore(this);
        }
    }
}
