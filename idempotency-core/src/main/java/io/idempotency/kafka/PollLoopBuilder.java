package io.idempotency.kafka;

import io.idempotency.replay.ReplayStore;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.OffsetStore;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;

/** Collects the settings of a {@link PollLoop}. Not thread-safe. */
public final class PollLoopBuilder<K, V> {

    /** How long one poll waits for records by default. */
    public static final Duration DEFAULT_POLL_TIMEOUT = Duration.ofSeconds(1);

    /** How long {@code close} waits for the loop to end by default. */
    public static final Duration DEFAULT_CLOSE_TIMEOUT = Duration.ofSeconds(30);

    /** How long ids are assumed to be remembered by default: Kafka's 7 days, and one. */
    public static final Duration DEFAULT_RETENTION = Duration.ofDays(8);

    private final RecordProcessor<K, V> processor;
    private final Map<String, Object> properties = new HashMap<>();
    private List<String> topics = List.of();
    private Duration pollTimeout = DEFAULT_POLL_TIMEOUT;
    private Duration closeTimeout = DEFAULT_CLOSE_TIMEOUT;
    private Duration retention = DEFAULT_RETENTION;
    private java.util.function.Consumer<Optional<Throwable>> onEnd = ending -> {};
    private Function<Map<String, Object>, Consumer<K, V>> consumers = KafkaConsumer::new;
    private Function<Map<String, Object>, Admin> admins = Admin::create;
    private Optional<ReplayStore> replays = Optional.empty();
    private Optional<PollLoopSettings.Batch> batch = Optional.empty();
    private Optional<OffsetStore> offsets = Optional.empty();

    PollLoopBuilder(RecordProcessor<K, V> processor) {
        this.processor = processor;
    }

    /** Adds properties of the Kafka consumer: servers, group, deserializers and whatever else it needs. Auto-commit is switched off. */
    public PollLoopBuilder<K, V> properties(Map<?, ?> more) {
        more.forEach((name, value) -> properties.put(String.valueOf(name), value));
        return this;
    }

    /** Sets the topics to subscribe to. */
    public PollLoopBuilder<K, V> topics(String... names) {
        this.topics = List.of(names);
        return this;
    }

    /** Sets how long one poll waits for records; 1 s by default. A back-off that ends earlier shortens it. */
    public PollLoopBuilder<K, V> pollTimeout(Duration timeout) {
        this.pollTimeout = timeout;
        return this;
    }

    /** Sets how long {@link PollLoop#close} waits for records that are being handled; 30 s by default. */
    public PollLoopBuilder<K, V> closeTimeout(Duration timeout) {
        this.closeTimeout = timeout;
        return this;
    }

    /** Tells how long the store remembers ids, which the purge decides; 8 days by default. The loop warns at its start of topics that keep records longer. */
    public PollLoopBuilder<K, V> retention(Duration rememberedFor) {
        this.retention = rememberedFor;
        return this;
    }

    /**
     * Sets a callback for the end of the loop. It runs on the thread of the loop, after the Kafka consumer was closed, with the failure that ended
     * the loop; empty if it was closed or interrupted. By default there is none: the process lives on without a consumer, and only {@link
     * PollLoop#isRunning} and the log tell.
     */
    public PollLoopBuilder<K, V> onEnd(java.util.function.Consumer<Optional<Throwable>> told) {
        this.onEnd = told;
        return this;
    }

    /**
     * Lets the loop carry out replays of quarantined records, too: with the same handler and new instances of the same deserializers, on a thread of its
     * own, beside the live partitions. It ends with the loop. See {@link io.idempotency.Replayer}.
     */
    public PollLoopBuilder<K, V> replays(ReplayStore store) {
        this.replays = Optional.of(store);
        return this;
    }

    /**
     * Gathers the records of several polls before they are claimed, for handlers that write large batches. A batch is handed over when it has so many records, or
     * when so much time has passed since its first one. Records that are gathered are not claimed, and if a partition is given up, its next owner gets them. The
     * consumer needs a {@linkplain io.idempotency.IdempotentConsumerBuilder#chunk chunk} of as many records, and a handler that needs less than {@code
     * max.poll.interval.ms} for them.
     *
     * @param records at most in a batch; more than {@code max.poll.records}
     * @param time at most until a batch is handed over
     */
    public PollLoopBuilder<K, V> gather(int records, Duration time) {
        this.batch = Optional.of(new PollLoopSettings.Batch(records, time));
        return this;
    }

    /**
     * Lets partitions begin behind what the store knows to be settled, if their committed offset is before that, or gone: the offsets of the group were deleted or
     * set back, or the group has another id. So records that were settled are not even polled. Without it, the ids skip them, one by one, as long as they are
     * remembered.
     *
     * <p>A partition never begins behind a record that the store does not know to be settled: not if the committed offset is before a gap, and not if the topic was
     * deleted and created again. A committed offset that is ahead stays: whoever sets it ahead has records skipped. A group without a committed offset begins
     * where the store's knowledge ends, whatever {@code auto.offset.reset} says; with {@code earliest} at the first record if the store knows nothing of that.
     *
     * <p>The loop stores settled offsets once a second, and when partitions are given up, each time in a transaction of its own after those of the messages. So after a
     * crash the store may be some records behind. While it cannot be read, partitions wait, and the log warns.
     *
     * @param store on the data of the consumer's store
     */
    public PollLoopBuilder<K, V> startFrom(OffsetStore store) {
        this.offsets = Optional.of(store);
        return this;
    }

    PollLoopBuilder<K, V> consumers(Function<Map<String, Object>, Consumer<K, V>> factory) {
        this.consumers = factory;
        return this;
    }

    PollLoopBuilder<K, V> admins(Function<Map<String, Object>, Admin> factory) {
        this.admins = factory;
        return this;
    }

    /**
     * Builds the loop. Warns in the log of settings that can lose or repeat messages.
     *
     * @throws IdempotencyException if no topic or no {@code group.id} was given, auto-commit is switched on, ids are remembered for less than
     *     {@code max.poll.interval.ms}, or batches do not fit the chunks of the consumer or the records of a poll
     */
    public PollLoop<K, V> build() {
        if (topics.isEmpty()) {
            throw new IdempotencyException("A poll loop needs at least one topic: topics(..)");
        }
        if (offsets.isPresent() && processor.isShadow()) {
            throw new IdempotencyException("A shadow consumer settles nothing, so its loop cannot start from a store");
        }
        replays.ifPresent(processor::requireReplays);
        StartUpChecks.requireGroup(properties);
        Map<String, Object> checked = StartUpChecks.withoutAutoCommit(properties);
        StartUpChecks.requireRetention(checked, retention);
        batch.ifPresent(gathered ->
                StartUpChecks.requireBatch(checked, gathered.records(), gathered.time(), processor.chunkRecords()));
        StartUpChecks.warnOfLongChunks(checked, processor.chunkTime());
        StartUpChecks.warnOfDefaults(checked);
        return new PollLoop<>(new PollLoopSettings<>(
                processor,
                checked,
                topics,
                new PollLoopSettings.Times(pollTimeout, closeTimeout, retention),
                onEnd,
                new PollLoopSettings.Clients<>(consumers, admins),
                replays,
                batch,
                offsets));
    }
}
