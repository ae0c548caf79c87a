package io.idempotency;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.LeaseStore;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.Processed;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One processing step whose effect happens once per message, although messages are delivered more than once.
 *
 * <pre>{@code
 * IdempotentConsumer<Order> billing = IdempotentConsumer.<Order>named("billing")
 *     .store(store)
 *     .messageId(order -> Optional.of(order.id()))
 *     .build();
 *
 * Outcome outcome = billing.consume(order, (message, claim) -> charge(message));
 * }</pre>
 *
 * <p>Where a transaction on the store's data is active on the thread already, a {@link ConsistencyLevel#STRONG} consumer joins it: its outcomes
 * hold only if that transaction commits, nothing is cached or reported before, and failures leave to the caller, who rolls back: none is counted,
 * and none leads to quarantine, but by {@link #quarantine} afterwards. A transaction on other data is refused.
 *
 * <p>Thread-safe; the messages of one partition are to be given by one thread at a time, in order.
 */
public final class IdempotentConsumer<M> implements AutoCloseable {

    /** How long a partition that stands still waits before its message is tried again. */
    public static final Duration STAND_STILL = Duration.ofSeconds(30);

    private final Settings<M> settings;
    private final Reading<M> reading;
    private final Flow<M> flow;
    private final Scopes<M> scopes;
    private final ChunkLoop<M> chunks;
    private final Optional<LeaseKeeper> keeper;
    /** The first handler that it was called with. */
    private volatile @Nullable Class<?> handler;

    IdempotentConsumer(Settings<M> settings, Clockwork clockwork) {
        this.settings = settings;
        this.reading = new Reading<>(settings);
        this.flow = new Flow<>(settings, clockwork);
        this.scopes = new Scopes<>(settings);
        this.keeper = settings.level() == ConsistencyLevel.AT_LEAST_ONCE
                ? Optional.of(new LeaseKeeper(
                        (LeaseStore) settings.storage().store(),
                        settings.storage().lease(),
                        settings.name(),
                        clockwork.ticks()))
                : Optional.empty();
        Level<M> level = switch (settings.level()) {
            case STRONG -> new StrongLevel<>(flow);
            case AT_LEAST_ONCE -> new AtLeastOnceLevel<>(flow, keeper.orElseThrow());
            case AT_MOST_ONCE -> new AtMostOnceLevel<>(flow);
            case NONE -> new NoneLevel<>(flow);
        };
        this.chunks = new ChunkLoop<>(flow, level, scopes);
    }

    /**
     * Returns a builder for the consumer of that logical name: stable, chosen by the user, independent of class, method and group
     * names. Message ids are remembered per consumer.
     */
    public static <M> IdempotentConsumerBuilder<M> named(String consumer) {
        return new IdempotentConsumerBuilder<>(consumer);
    }

    /** Returns the logical name that ids are remembered under. */
    public String name() {
        return settings.name();
    }

    /** Returns the consistency level. */
    public ConsistencyLevel level() {
        return settings.level();
    }

    /** Returns how long one call goes on beginning new work. */
    public Duration chunkTime() {
        return settings.chunks().time();
    }

    /** Returns whether a transaction on the store's data is active on the calling thread. */
    public boolean isTransactionActive() {
        return settings.storage().store().transactions().isActive();
    }

    /**
     * Consumes one message. A failure is charged as in {@link #consumeAll}; unless the message is quarantined by it, what the handler threw
     * leaves unwrapped, and the message is to be delivered again.
     *
     * @throws IdempotencyException if the store failed
     */
    public Outcome consume(M message, MessageHandler<? super M> handler) {
        BatchResult result = consumeAll(List.of(message), handler);
        for (Stop stop : result.stops()) {
            if (stop.cause().isPresent()) {
                throw Sneaky.unchecked(stop.cause().get());
            }
        }
        return result.outcomes().get(0);
    }

    /**
     * Consumes messages in order, one handler call each. Under {@link ConsistencyLevel#STRONG} in one transaction per chunk; one
     * round trip for its claims if all are new, none for duplicates that are cached (within a transaction of yours the store is asked).
     *
     * <p>A message that fails stops its partition, not the others: it and all behind it in its partition are released, to be delivered again
     * after {@link Stop#retryAfter()}. One that fails among others under {@link ConsistencyLevel#STRONG} stops at once the partitions of all
     * messages that the handler was given in its transaction, from the first one on, and is not charged: delivered again, they run without it,
     * then it runs alone.
     *
     * <p>No object is given to the handler twice in one call, for a handler may have changed it ({@code order.setStatus("ACCEPT")}) before its
     * transaction was rolled back. A caller who delivers again <em>reads the messages anew, or copies them first</em>: an object that was given
     * before would show the handler its own changes. A poll loop does so by itself, for it polls again.
     *
     * <p>If the thread is interrupted, no work is begun after the one that is running, no failure is counted, and the thread is interrupted
     * still when this returns.
     *
     * <p>A message that the store refuses, such as one whose journal has forgotten whether it was processed, stops its partition, too, for
     * {@link #STAND_STILL}, and is not charged.
     *
     * @throws IdempotencyException if the store cannot be used at all, or the level cannot run here; messages without a
     *     settled outcome are to be delivered again
     */
    public BatchResult consumeAll(List<M> messages, MessageHandler<? super M> handler) {
        return consume(messages, new Handling.Each<>(handler));
    }

    /**
     * Consumes messages like {@link #consumeAll}, with one handler call for all that are granted together. A batch that fails is left as a
     * whole, and smaller ones are made of it when it is delivered again, until the message that fails is alone; unless the handler names it by
     * a {@link BatchFailedException}.
     */
    public BatchResult consumeBatch(List<M> messages, BatchHandler<M> handler) {
        return consume(messages, new Handling.Together<>(handler));
    }

    /**
     * Charges a message that cannot become an {@code M}, such as a value that cannot be deserialized: it is retried, quarantined or makes its
     * partition stand still, as any message that failed.
     *
     * @param messageId its id; if there is none that can be used, one is made of its position and bytes
     * @return the result for the one message
     */
    public BatchResult reject(Position position, Optional<String> messageId, Payload payload, Throwable cause) {
        Item<Payload> item = reading.rejected(position, messageId, payload);
        Poll<Payload> poll = new Poll<>(List.of(item), settings.chunks().time(), flow.nanoTime());
        flow.charging().charge(poll, item, cause, Function.identity());
        return poll.result();
    }

    /**
     * Quarantines a message that failed, whatever the {@link FailurePolicy} says, unless it is one too many in a row
     * ({@link IdempotentConsumerBuilder#standStillAfter}). For callers with an error handling of their own, who leave failures to it by {@link
     * FailurePolicy#leaveToCaller}.
     *
     * @return the result for the one message: settled, also if it was processed meanwhile; or its partition waits
     * @throws IdempotencyException if there is no quarantine store
     */
    public BatchResult quarantine(M message, Throwable cause) {
        Item<M> item = reading.read(List.of(message)).get(0);
        Poll<M> poll = new Poll<>(List.of(item), settings.chunks().time(), flow.nanoTime());
        // Without its scope rather than not at all: that may be why it failed.
        scopes.within(item, () -> flow.quarantine(poll, item, cause), failure -> flow.quarantine(poll, item, cause));
        return poll.result();
    }

    /** Says when and where a message was processed or quarantined: why it is skipped. One round trip. */
    public Optional<Processed> find(String messageId) {
        return settings.storage().store().find(new MessageId(settings.name(), messageId));
    }

    /**
     * Forgets a message, so that its next delivery is processed again. Within a transaction of yours that is so for the transaction itself at once,
     * for all others from its commit on. Other processes may know it from their caches for as long as those keep it. Returns whether it was
     * remembered.
     */
    public boolean forget(String messageId) {
        MessageId id = new MessageId(settings.name(), messageId);
        boolean wasKnown = settings.storage().store().forget(id);
        flow.known().forget(id);
        if (isTransactionActive()) {
            // Until the commit a copy is a duplicate still, which another thread may remember.
            settings.storage()
                    .store()
                    .transactions()
                    .afterCommit(() -> flow.known().forget(id));
        }
        return wasKnown;
    }

    /**
     * Forgets what is remembered of a partition that was given up or lost: which of its messages failed, how often, and their bytes; and tells the store. For
     * whoever polls to tell; {@link io.idempotency.kafka.RecordProcessor} does. If the partition comes back, counting begins anew.
     */
    public void revoked(String stream, int partition) {
        Lane lane = new Lane(stream, partition);
        flow.lanes().forget(lane);
        flow.suspects().forget(lane);
        settings.storage().store().leave(settings.name(), stream, partition);
        flow.reports().revoked(settings.name(), lane);
    }

    private BatchResult consume(List<M> messages, Handling<M> handling) {
        if (handler == null && settings.level() != ConsistencyLevel.NONE) {
            handler = handling.handler().getClass();
            NamesInUse.add(settings, handling.handler().getClass());
        }
        return chunks.run(reading.read(messages), handling);
    }

    /** Stops renewing leases, as soon as the consumptions that are running have ended; further ones renew their own. */
    @Override
    public void close() {
        Class<?> noted = handler;
        if (noted != null) {
            NamesInUse.remove(settings, noted);
        }
        keeper.ifPresent(LeaseKeeper::close);
    }
}
