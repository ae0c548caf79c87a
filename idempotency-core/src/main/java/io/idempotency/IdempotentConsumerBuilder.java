package io.idempotency;

import io.idempotency.memory.MemoryStore;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.LeaseStore;
import io.idempotency.store.MessageId;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.TransactionRunner;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Builds an {@link IdempotentConsumer}. A message id and, except at level {@code NONE}, a store are required; everything else has a default. Not
 * thread-safe.
 */
public final class IdempotentConsumerBuilder<M> {

    /** The most records that share a transaction. */
    public static final int DEFAULT_CHUNK_RECORDS = 500;

    /** How long a chunk may take: a quarter of Kafka's default {@code max.poll.interval.ms}. */
    public static final Duration DEFAULT_CHUNK_TIME = Duration.ofSeconds(75);

    /** How long a lease lasts; it is renewed at a third. */
    public static final Duration DEFAULT_LEASE = Duration.ofMinutes(1);

    /** How many messages in a row may be quarantined for the same failure before their partition stands still. */
    public static final int DEFAULT_STAND_STILL_AFTER = 5;

    /** With this begin the names under which the library itself remembers something. */
    static final String RESERVED = "idempotency.";

    private final String name;
    private @Nullable ClaimStore store;
    private @Nullable TransactionRunner transactions;
    private @Nullable MessageIdExtractor<? super M> messageId;
    private MessageReader<? super M> reader = MessageReader.withoutPosition();
    private MessageExpiry<? super M> expiry = MessageExpiry.<M>never();
    private ConsistencyLevel level = ConsistencyLevel.STRONG;
    private TransactionPer transactionPer = TransactionPer.POLL;
    private FailurePolicy failures = FailurePolicy.quarantineAfter(RetryPolicy.DEFAULT_ATTEMPTS);
    private @Nullable QuarantineStore quarantine;
    private boolean keepPayloads = true;
    private boolean isKeyOrder;
    private @Nullable KeyExtractor<? super M> key;
    private int standStillAfter = DEFAULT_STAND_STILL_AFTER;
    private DuplicateCache cache = DuplicateCache.none();
    private @Nullable MessageScope<? super M> scope;
    private @Nullable ResendCheck<? super M> resends;
    private ConsumptionListener listener = Reports.NOBODY;
    private int chunkRecords = DEFAULT_CHUNK_RECORDS;
    private Duration chunkTime = DEFAULT_CHUNK_TIME;
    private Duration lease = DEFAULT_LEASE;
    private boolean isShadow;

    IdempotentConsumerBuilder(String name) {
        this.name = MessageId.requireConsumer(name);
    }

    /** Sets where processed messages are remembered. Required. */
    public IdempotentConsumerBuilder<M> store(ClaimStore claimStore) {
        this.store = claimStore;
        return this;
    }

    /** Sets the runner of transactions on the store's data, such as a {@code TransactionTemplate} by a lambda; default: the store's own. */
    public IdempotentConsumerBuilder<M> transactions(TransactionRunner runner) {
        this.transactions = runner;
        return this;
    }

    /** Sets where the message id is found. Required. */
    public IdempotentConsumerBuilder<M> messageId(MessageIdExtractor<? super M> extractor) {
        this.messageId = extractor;
        return this;
    }

    /** Sets how positions and raw bytes are read; by default messages have none. */
    public IdempotentConsumerBuilder<M> reader(MessageReader<? super M> messageReader) {
        this.reader = messageReader;
        return this;
    }

    /**
     * Sets when messages expire; by default they never do. An expired message is settled as {@link Outcome#EXPIRED} without a handler call, and
     * remembered, so a copy of it is a duplicate. The store's clock judges: the consumer asks for its time at most once a minute, outside of transactions
     * of its own, and only for messages that may expire. A message whose expiry cannot be read fails, like one without a usable id.
     */
    public IdempotentConsumerBuilder<M> expiry(MessageExpiry<? super M> expires) {
        this.expiry = expires;
        return this;
    }

    /** Sets the consistency level; default: {@link ConsistencyLevel#STRONG}. */
    public IdempotentConsumerBuilder<M> level(ConsistencyLevel consistency) {
        this.level = consistency;
        return this;
    }

    /** Sets how many records share a transaction under {@code STRONG}; default: {@link TransactionPer#POLL}. */
    public IdempotentConsumerBuilder<M> transactionPer(TransactionPer scope) {
        this.transactionPer = scope;
        return this;
    }

    /** Sets what becomes of failed messages; default: 10 attempts, 100 ms doubling to 30 s, then quarantine. */
    public IdempotentConsumerBuilder<M> failures(FailurePolicy policy) {
        this.failures = policy;
        return this;
    }

    /** Sets where quarantined messages are kept; without it, their partition stands still. */
    public IdempotentConsumerBuilder<M> quarantine(QuarantineStore into) {
        this.quarantine = into;
        return this;
    }

    /** Sets whether quarantined messages are kept with key, value and headers; default: yes. */
    public IdempotentConsumerBuilder<M> keepPayloads(boolean keep) {
        this.keepPayloads = keep;
        return this;
    }

    /**
     * Keeps the order of keys through quarantine; by default it is not kept. While a message is in quarantine, later messages of the same key and
     * partition follow it there without a handler call. They are handled in order after the earlier one was replayed or deleted. Messages without a
     * key have no order.
     *
     * <p>Needs a {@link #quarantine} that keeps such an order and a {@link #reader} with positions and keys, like that of {@code
     * KafkaRecords}. A message whose key cannot be read stops its partition. Such a consumer takes part in no transaction of the caller.
     */
    public IdempotentConsumerBuilder<M> keyOrder() {
        this.isKeyOrder = true;
        return this;
    }

    /** Keeps the order of keys, as {@link #keyOrder()} does, with keys that are found by the extractor instead of the reader. */
    public IdempotentConsumerBuilder<M> keyOrder(KeyExtractor<? super M> keys) {
        this.key = keys;
        return keyOrder();
    }

    /**
     * Sets how many different messages in a row may be quarantined for the same failure before their partition stands still instead of draining
     * into quarantine; default: 5. If the id of a message cannot be read at all, its partition stands still at once. Messages without a usable id
     * count only until one of their stream has had one. Under {@link ConsistencyLevel#AT_MOST_ONCE} a partition that stands still quarantines one message after
     * each pause, from 30 seconds on, doubled up to eight minutes. With {@link Integer#MAX_VALUE} all of them are quarantined.
     */
    public IdempotentConsumerBuilder<M> standStillAfter(int sameFailuresInARow) {
        this.standStillAfter = sameFailuresInARow;
        return this;
    }

    /** Sets the cache of known duplicates; default: none. */
    public IdempotentConsumerBuilder<M> cache(DuplicateCache duplicates) {
        this.cache = duplicates;
        return this;
    }

    /**
     * Lets the consumer only watch, to try it beside a running system. Its handler is called for every delivery as without it: no transaction is opened
     * around it, nothing is claimed before, skipped, retried or quarantined, and exceptions leave.
     *
     * <ul>
     *   <li>After a handler has returned, its delivery goes into a queue, from which one thread takes it to the store in transactions of its own. So the
     *       first real run knows what was handled before.
     *   <li>A delivery that a real run would have treated differently is reported: {@link Outcome#WOULD_SKIP} with the {@link Duplicate}, {@link Outcome#WOULD_EXPIRE}
     *       and {@link Outcome#WOULD_REFUSE}.
     *   <li>A store that is slow or away never delays or fails a message. The queue holds {@value ShadowQueue#MOST} deliveries; others are
     *       dropped and reported by {@link ConsumptionListener#onUnwatched}. If the process dies, those in the queue are not remembered.
     *   <li>Inside a transaction on the store's data a delivery is watched after its commit.
     * </ul>
     *
     * Not for the level {@code NONE}, which skips nothing.
     */
    public IdempotentConsumerBuilder<M> shadow() {
        this.isShadow = true;
        return this;
    }

    /** Sets the scope that surrounds the work on a message, such as its tenant; default: none. */
    public IdempotentConsumerBuilder<M> scope(MessageScope<? super M> surrounding) {
        this.scope = surrounding;
        return this;
    }

    /** Sets a check of messages that were sent again with the id of a processed one; default: none, and they are skipped. */
    public IdempotentConsumerBuilder<M> resends(ResendCheck<? super M> check) {
        this.resends = check;
        return this;
    }

    /** Adds a listener that receives every consumption. */
    public IdempotentConsumerBuilder<M> listener(ConsumptionListener told) {
        this.listener = listener == Reports.NOBODY ? told : listener.andThen(told);
        return this;
    }

    /**
     * Sets how many records share a transaction at most, and how long one call may go on beginning new work; default: 500 records,
     * 75 s. Keep the time to at most a quarter of {@code max.poll.interval.ms}.
     */
    public IdempotentConsumerBuilder<M> chunk(int records, Duration time) {
        this.chunkRecords = records;
        this.chunkTime = time;
        return this;
    }

    /** Sets the length of leases under {@code AT_LEAST_ONCE}; default: 1 minute, renewed at a third. */
    public IdempotentConsumerBuilder<M> lease(Duration length) {
        this.lease = length;
        return this;
    }

    /**
     * Builds the consumer. A second handler under the same name on the same store is warned of in the log until the first consumer is closed.
     *
     * @throws IdempotencyException if something required is missing, a value is out of range, the name is reserved for the library, the
     *     store cannot serve the level, or nothing would be logged because slf4j-api on the class path is too old
     */
    public IdempotentConsumer<M> build() {
        return build(System::nanoTime);
    }

    IdempotentConsumer<M> build(LongSupplier nanoTime) {
        return build(Clockwork.of(nanoTime));
    }

    IdempotentConsumer<M> build(Clockwork clockwork) {
        LoggingCheck.requireHeard();
        if (store == null && level == ConsistencyLevel.NONE) {
            store = MemoryStore.create();
        }
        ClaimStore chosen = required(store, "store(..)");
        require(chunkRecords >= 1, "chunk(..) needs at least one record, not " + chunkRecords);
        require(isPositive(chunkTime), "chunk(..) needs a positive time, not " + chunkTime);
        require(lease.compareTo(Duration.ofMillis(100)) >= 0, "lease(..) needs at least 100 ms, not " + lease);
        require(standStillAfter >= 1, "standStillAfter(..) needs at least one message, not " + standStillAfter);
        require(
                level != ConsistencyLevel.AT_LEAST_ONCE || chosen instanceof LeaseStore,
                "AT_LEAST_ONCE needs a store that leases messages, and "
                        + chosen.getClass().getSimpleName() + " does not. Use the table store, or the level STRONG");
        require(
                !isShadow || level != ConsistencyLevel.NONE,
                "at level NONE nothing is skipped, so shadow() has nothing to report. Choose the level of the real run");
        require(
                !name.startsWith(RESERVED),
                "names that begin with " + RESERVED + " belong to the library itself. Choose another");
        require(
                resends == null || resends.policy() != ResendCheck.Policy.QUARANTINE || quarantine != null,
                "resends(..) is to quarantine messages. Set quarantine(..)");
        Settings<M> settings = new Settings<>(
                name,
                level,
                new Settings.Storage(
                        chosen, Objects.requireNonNullElse(transactions, chosen.transactions()), cache, lease),
                new Settings.Messages<>(
                        required(messageId, "messageId(..)"),
                        reader,
                        expiry,
                        Optional.ofNullable(scope),
                        Optional.ofNullable(resends),
                        keys()),
                new Settings.Failures(failures, Optional.ofNullable(quarantine), keepPayloads, standStillAfter),
                new Settings.Chunks(transactionPer, chunkRecords, chunkTime),
                listener,
                isShadow);
        chosen.register(name);
        IdempotentConsumer<M> consumer = new IdempotentConsumer<>(settings, clockwork);
        Reports.tell(name, () -> listener.onBuilt(name, level, isShadow, chosen));
        return consumer;
    }

    private Optional<KeyReading<M>> keys() {
        KeyExtractor<? super M> own = key;
        MessageReader<? super M> readers = reader;
        return isKeyOrder
                ? Optional.of(own == null ? new KeyReading<M>(readers::key, true) : new KeyReading<M>(own, false))
                : Optional.empty();
    }

    private <T> T required(@Nullable T value, String setter) {
        if (value == null) {
            throw new IdempotencyException("Consumer " + name + " needs " + setter);
        }
        return value;
    }

    private void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IdempotencyException("Consumer " + name + ": " + otherwise);
        }
    }

    private static boolean isPositive(Duration duration) {
        return !duration.isNegative() && !duration.isZero();
    }
}
