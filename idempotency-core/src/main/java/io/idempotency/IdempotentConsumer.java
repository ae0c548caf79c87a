package io.idempotency;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.LeaseStore;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.Processed;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs one processing step so that its effect happens once per message, although messages are delivered more than once.
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
 * <p>If a transaction on the store's data is active on the thread, a {@link ConsistencyLevel#STRONG} consumer joins it. Its outcomes then hold
 * only if that transaction commits; nothing is cached or reported before. Failures leave to the caller, who rolls back. They are not counted and
 * lead to no quarantine, unless the caller calls {@link #quarantine} afterwards. A transaction on other data is refused.
 *
 * <p>Thread-safe. Give the messages of one partition from one thread at a time, in order.
 */
public final class IdempotentConsumer<M> implements AutoCloseable {

    /** How long a partition that stands still waits before the next try. */
    public static final Duration STAND_STILL = Duration.ofSeconds(30);

    private final Settings<M> settings;
    private final Reading<M> reading;
    private final Flow<M> flow;
    private final Scopes<M> scopes;
    private final ChunkLoop<M> chunks;
    private final Optional<LeaseKeeper> keeper;
    private final Optional<Shadow<M>> shadow;
    /** The class of the first handler. */
    private volatile @Nullable Class<?> handler;

    IdempotentConsumer(Settings<M> settings, Clockwork clockwork) {
        this.settings = settings;
        this.reading = new Reading<>(settings);
        this.flow = new Flow<>(settings, clockwork);
        this.scopes = new Scopes<>(settings);
        this.shadow = settings.isShadow() ? Optional.of(new Shadow<>(flow, reading, scopes)) : Optional.empty();
        this.keeper = settings.level() == ConsistencyLevel.AT_LEAST_ONCE
                ? Optional.of(new LeaseKeeper(
                        (LeaseStore) settings.storage().store(),
                        settings.storage().lease(),
                        settings.name(),
                        clockwork.ticks(),
                        flow.reports()::lost))
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

    /** Returns the logical name under which ids are remembered. */
    public String name() {
        return settings.name();
    }

    /** Returns the consistency level. */
    public ConsistencyLevel level() {
        return settings.level();
    }

    /** Returns whether it only watches; see {@link IdempotentConsumerBuilder#shadow}. */
    public boolean isShadow() {
        return shadow.isPresent();
    }

    /** Returns whether it is the companion of a {@link Replayer}, and takes only the message that is being replayed. */
    public boolean isReplaying() {
        return settings.storage().store() instanceof ReplayingStore;
    }

    /**
     * Reads the ids of messages whose handler is about to be called, for callers that call the handler of a shadow consumer themselves, such as a
     * container. Neither waits for the store nor throws.
     *
     * @throws IdempotencyException if this is no shadow consumer
     */
    public WatchedCall watch(List<M> messages) {
        return shadow.orElseThrow(
                        () -> new IdempotencyException("Consumer " + settings.name() + " is no shadow consumer"))
                .watch(messages);
    }

    /** Returns how long one call goes on beginning new work. */
    public Duration chunkTime() {
        return settings.chunks().time();
    }

    /** Returns whether its messages have scopes; see {@link IdempotentConsumerBuilder#scope}. */
    public boolean isScoped() {
        return settings.messages().scope().isPresent();
    }

    /**
     * Runs a look-up that concerns a message: in its scope, and in a transaction on the store's data, that of the caller if there is one. So it uses the connection that
     * a framework may hold for the thread.
     *
     * @return what the work returned
     */
    public <T> T lookUp(M message, Supplier<T> work) {
        List<T> result = new ArrayList<>(1);
        scopes.within(
                reading.read(List.of(message)).get(0),
                () -> settings.storage().transactions().inTransaction(() -> {
                    result.clear();
                    result.add(work.get());
                }),
                failure -> {
                    throw Sneaky.unchecked(failure);
                });
        return result.get(0);
    }

    /** Returns how many messages may share a transaction. */
    public int chunkRecords() {
        return settings.chunks().records();
    }

    /** Returns whether a transaction on the store's data is active on the calling thread. */
    public boolean isTransactionActive() {
        return settings.storage().store().transactions().isActive();
    }

    /**
     * Consumes one message, for callers that have one at a time, or a transaction of their own. In shadow mode the exception of the handler leaves, and that is all.
     * Otherwise a failure is charged as in {@link #consumeAll}. Unless that quarantines the message, the exception of the handler leaves unwrapped, and the message must
     * be delivered again. So it must if the outcome is not {@linkplain Outcome#isSettled settled}: another owner has the message, or the thread was interrupted.
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
     * Consumes messages in order, with one handler call each. It is for callers that have several, such as a poll, because messages share transactions. A failure is told
     * by the result, see {@link BatchResult#isSettled}; it is thrown only in a transaction of the caller and in shadow mode.
     *
     * <p>Under {@link ConsistencyLevel#STRONG} each chunk is one transaction. Its claims take one round trip if all messages are new; cached duplicates take none, except
     * inside a transaction of the caller, where the store is asked.
     *
     * <p>A message that fails stops its partition, not the others. It and all messages behind it are released, to be delivered again after
     * {@link Stop#retryAfter()}. Under {@link ConsistencyLevel#STRONG} a message that fails among others is not charged at first. It stops the
     * partitions of all messages that the handler was given in its transaction, each from its first message on. Delivered again, they run without
     * it, then it runs alone.
     *
     * <p>One call never gives an object to the handler twice, because a handler may have changed it ({@code order.setStatus("ACCEPT")}) before
     * its transaction was rolled back. A caller who delivers again <em>reads the messages anew or copies them first</em>; otherwise the handler
     * sees its own changes. A poll loop polls again, and so needs nothing more.
     *
     * <p>If the thread is interrupted, the running work ends, no further work begins, and no failure is counted. The thread is still interrupted
     * when this method returns.
     *
     * <p>A message that the store refuses, for example because its journal no longer knows whether it was processed, stops its partition for
     * {@link #STAND_STILL} and is not charged.
     *
     * <p>A shadow consumer calls the handler for each message in order, without any of this. The first exception of the handler leaves unwrapped, and
     * the messages behind it are not handled.
     *
     * @return one outcome for each message, in the order given
     * @throws IdempotencyException if the store cannot be used at all, or the level cannot run here; deliver messages without a settled outcome
     *     again
     */
    public BatchResult consumeAll(List<M> messages, MessageHandler<? super M> handler) {
        return consume(messages, new Handling.Each<>(handler));
    }

    /**
     * Consumes messages like {@link #consumeAll}, with one handler call for all messages that are granted together. It is for handlers that write many messages by few
     * statements. A batch that fails is left as a whole. Delivered again, it is split into smaller batches until the failing message is alone, unless the handler names
     * that message by a {@link BatchFailedException}. A shadow consumer calls the handler once, with all messages; its exception leaves, and none of them counts as
     * handled.
     */
    public BatchResult consumeBatch(List<M> messages, BatchHandler<M> handler) {
        return consume(messages, new Handling.Together<>(handler));
    }

    /**
     * Charges a message that cannot become an {@code M}, for example because its value cannot be deserialized. It is retried, is quarantined or
     * makes its partition stand still, like any message that failed.
     *
     * <p>A shadow consumer charges nothing and throws the cause.
     *
     * @param messageId its id; without a usable one, an id is made of its position and bytes
     * @return the result of this one message
     */
    public BatchResult reject(Position position, Optional<String> messageId, Payload payload, Throwable cause) {
        rethrowInShadow(cause);
        return reject(rejected(Lane.of(position), position, messageId, payload), cause);
    }

    Item<Payload> rejected(Lane lane, Position position, Optional<String> messageId, Payload payload) {
        return reading.rejected(lane, position, messageId, payload);
    }

    BatchResult reject(Item<Payload> item, Throwable cause) {
        return settle(item, poll -> flow.charging().charge(poll, item, cause, Function.identity()));
    }

    BatchResult quarantineRejected(Item<Payload> item, Throwable cause) {
        return settle(item, poll -> flow.charging().quarantine(poll, item, cause, 1, Function.identity()));
    }

    private BatchResult settle(Item<Payload> item, Consumer<Poll<Payload>> work) {
        Poll<Payload> poll = new Poll<>(List.of(item), settings.chunks().time(), flow.nanoTime());
        work.accept(poll);
        flow.advance(item);
        return poll.result();
    }

    /**
     * Quarantines a message that failed, whatever the {@link FailurePolicy} says, unless it is one too many in a row
     * ({@link IdempotentConsumerBuilder#standStillAfter}). Callers with their own error handling use it together with {@link
     * FailurePolicy#leaveToCaller}. A shadow consumer quarantines nothing and throws the cause.
     *
     * @return the result of this one message: settled, even if it was processed meanwhile, or a stop of its partition
     * @throws IdempotencyException if there is no quarantine store
     */
    public BatchResult quarantine(M message, Throwable cause) {
        return quarantine(message, cause, 0);
    }

    /**
     * Quarantines a message as {@link #quarantine(Object, Throwable)} does, for a caller that counts attempts, too. This consumer counts from one again
     * when a partition was revoked and comes back.
     *
     * @param attempts how many attempts the caller has counted; the greater number is kept
     */
    public BatchResult quarantine(M message, Throwable cause, int attempts) {
        rethrowInShadow(cause);
        Item<M> item = reading.read(List.of(message)).get(0);
        Poll<M> poll = new Poll<>(List.of(item), settings.chunks().time(), flow.nanoTime());
        // Without its scope if it cannot be entered: that may be why the message failed.
        Runnable quarantining = () -> flow.quarantine(poll, item, cause, attempts);
        scopes.within(item, quarantining, failure -> quarantining.run());
        flow.advance(item);
        return poll.result();
    }

    /**
     * Returns the id by which this consumer remembers a message. No round trip.
     *
     * @throws RuntimeException if it has no usable id; the exception says why
     */
    public MessageId idOf(M message) {
        Item<M> item = reading.read(List.of(message)).get(0);
        if (!item.hasUsableId()) {
            throw Sneaky.unchecked(item.unreadable().orElseThrow());
        }
        return item.delivery().id();
    }

    /** Returns when and where a message was processed or quarantined; empty if it was not, or is forgotten. One round trip. */
    public Optional<Processed> find(String messageId) {
        return settings.storage().store().find(new MessageId(settings.name(), messageId));
    }

    /**
     * Forgets a message, so that its next delivery is processed again. Inside a transaction of the caller, the message is new to that transaction
     * at once, and to all others from the commit on. Caches of other processes keep it for their own time. Returns whether it was remembered.
     * One round trip.
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
     * Notes that a partition was revoked or lost: drops its failed messages, their attempts and their bytes from memory, and tells the store and
     * the listeners. Code that polls must call it; {@link io.idempotency.kafka.RecordProcessor} does. If the partition comes back, attempts are
     * counted from the beginning.
     */
    public void revoked(String stream, int partition) {
        Lane lane = new Lane(stream, partition);
        flow.lanes().forget(lane);
        flow.suspects().forget(lane);
        shadow.ifPresentOrElse(
                watching -> watching.left(lane),
                () -> settings.storage().store().leave(settings.name(), stream, partition));
        flow.reports().revoked(settings.name(), lane);
    }

    Item<M> read(M message) {
        return reading.read(List.of(message)).get(0);
    }

    Settings<M> settings() {
        return settings;
    }

    Flow<M> flow() {
        return flow;
    }

    private BatchResult consume(List<M> messages, Handling<M> handling) {
        if (handler == null && settings.level() != ConsistencyLevel.NONE) {
            handler = handling.handler().getClass();
            NamesInUse.add(settings, handling.handler().getClass());
        }
        return shadow.isPresent()
                ? shadow.get().handle(messages, handling)
                : chunks.run(reading.read(messages), handling);
    }

    private void rethrowInShadow(Throwable cause) {
        if (isShadow()) {
            throw Sneaky.unchecked(cause);
        }
    }

    /**
     * Stops renewing leases once the running consumptions have ended. Later consumptions renew their own. A shadow consumer first takes the deliveries
     * that it has watched to the store, for ten seconds at most. If the calling thread is interrupted, it gives them up at once.
     */
    @Override
    public void close() {
        Class<?> noted = handler;
        if (noted != null) {
            NamesInUse.remove(settings, noted);
        }
        keeper.ifPresent(LeaseKeeper::close);
        shadow.ifPresent(Shadow::close);
    }
}
