package io.idempotency.kafka;

import io.idempotency.BatchHandler;
import io.idempotency.IdempotentConsumer;
import io.idempotency.MessageHandler;
import io.idempotency.MessageIdExtractor;
import io.idempotency.Replayer;
import io.idempotency.ranges.RangeHandler;
import io.idempotency.ranges.RangeStore;
import io.idempotency.replay.ReplayStore;
import io.idempotency.store.IdempotencyException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordDeserializationException;

/**
 * Handles the records of a poll, in any poll loop. It borrows the caller's consumer for one call, and owns neither a consumer nor a thread:
 *
 * <pre>{@code
 * while (running) {
 *     try {
 *         processor.process(consumer, consumer.poll(processor.timeout(ofSeconds(1)))); // also if nothing was returned
 *     } catch (RecordDeserializationException failure) {
 *         processor.reject(consumer, failure);
 *     }
 * }
 * }</pre>
 *
 * <ol>
 *   <li>It resumes the partitions whose back-off is over; so it must be called with empty polls, too.
 *   <li>A partition without a committed offset gets the one of its first record committed, so that a crash during the first back-off
 *       does not begin at {@code auto.offset.reset}.
 *   <li>The records run through the idempotent consumer.
 *   <li>Where a record is not settled, the consumer goes back to it, and its partition is paused until it is due. Other partitions go on.
 *   <li>It commits the offsets behind settled records asynchronously, never before the database. Closing the consumer waits for them. A commit
 *       that fails for now (rebalance, broker away) is logged and repeated by the next call; redelivered records are skipped. A commit that
 *       fails for good makes the next call fail. Offsets carry the leader epoch, so that Kafka notices a truncated log.
 * </ol>
 *
 * <p>The consumer needs {@code enable.auto.commit=false}. Before any exception leaves, it is back at the first unsettled record of
 * every partition, so that not even a {@code close()} with auto-commit can commit past one.
 *
 * <p>It keeps the state of one consumer. Not thread-safe: use it on the thread that polls.
 */
public final class RecordProcessor<K, V> {

    private final BoundConsumer<K, V> bound;
    private final MessageIdExtractor<? super ConsumerRecord<byte[], byte[]>> rejectedIds;
    private final LongSupplier nanoTime;
    private final PartitionBackOffs backOffs;
    private final InitialOffsets initialOffsets = new InitialOffsets();
    private final Offsets offsets = new Offsets(initialOffsets);
    private Set<TopicPartition> owned = Set.of();
    /** Hears of offsets behind settled records, and marks them, before they are committed. */
    private UnaryOperator<Map<TopicPartition, OffsetAndMetadata>> settled = UnaryOperator.identity();
    /** Whether the last records that were handled left a partition at one of them. */
    private boolean hasLeft;

    RecordProcessor(
            BoundConsumer<K, V> bound,
            MessageIdExtractor<? super ConsumerRecord<byte[], byte[]>> rejectedIds,
            LongSupplier nanoTime) {
        this.bound = bound;
        this.rejectedIds = rejectedIds;
        this.nanoTime = nanoTime;
        this.backOffs = new PartitionBackOffs(nanoTime);
    }

    /** Returns a processor that hands single records to the handler. */
    public static <K, V> RecordProcessor<K, V> of(
            IdempotentConsumer<ConsumerRecord<K, V>> consumer, MessageHandler<? super ConsumerRecord<K, V>> handler) {
        return new RecordProcessor<>(BoundConsumer.of(consumer, handler), MessageIds.defaults(), System::nanoTime);
    }

    /** Returns a processor that hands several records at once to the handler. */
    public static <K, V> RecordProcessor<K, V> batches(
            IdempotentConsumer<ConsumerRecord<K, V>> consumer, BatchHandler<ConsumerRecord<K, V>> handler) {
        return new RecordProcessor<>(BoundConsumer.batches(consumer, handler), MessageIds.defaults(), System::nanoTime);
    }

    /**
     * Returns a processor that writes the records in ranges to a sink without transactions. The claims of a range and its record are one transaction of the
     * store; then it is written; then it is done. Whatever dies in between, the same records are written again with the same token, and only they. The offsets
     * of a partition are committed when its ranges are done. A message that was sent again is in no range.
     *
     * <p>A range that cannot be written is tried again, 1 s to 32 s apart, and its partition waits. If its records are no longer in Kafka, the partition stands
     * still, see {@link io.idempotency.ranges.RangeGoneException}. The number of records of a range is that of a poll, at most a chunk; {@link
     * PollLoopBuilder#gather} makes ranges larger.
     *
     * @param consumer with the level {@code STRONG}
     * @param ranges on the data of the consumer's store
     * @param properties those of the polling Kafka consumer, with its deserializers
     * @throws IdempotencyException if the consumer has another level
     */
    public static <K, V> RecordProcessor<K, V> ranges(
            IdempotentConsumer<ConsumerRecord<K, V>> consumer,
            RangeStore ranges,
            Map<String, ?> properties,
            RangeHandler<? super ConsumerRecord<K, V>> handler) {
        for (String deserializer :
                List.of(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG)) {
            if (!properties.containsKey(deserializer)) {
                throw new IdempotencyException(
                        "The properties have no " + deserializer
                                + ". Ranges are read again by a consumer with these properties: give those of the polling consumer");
            }
        }
        Map<String, Object> outsideOfGroup = RecordReread.outsideOfGroup(properties);
        RangeReread<K, V> reread = new RangeReread<>(() -> new KafkaConsumer<>(outsideOfGroup), Duration.ofSeconds(10));
        return new RecordProcessor<>(
                new RangeBound<>(consumer, ranges, reread, handler), MessageIds.defaults(), System::nanoTime);
    }

    /**
     * Returns a new processor with an extractor for the ids of records that cannot be deserialized; the default is {@link
     * MessageIds#defaults()}. Use the same header names as in the extractor of the consumer.
     */
    public RecordProcessor<K, V> rejectedMessageId(MessageIdExtractor<? super ConsumerRecord<byte[], byte[]>> ids) {
        return new RecordProcessor<>(bound, ids, nanoTime);
    }

    /**
     * Handles the records of one poll, none or many. If the idempotent consumer throws anything but an error of the virtual machine, the partitions
     * of the records stand still; others go on.
     *
     * <p>A shadow consumer handles the records of each partition up to its first failure, with the other partitions unaffected. The offsets behind
     * handled records are committed. Then the first exception of the handler leaves unwrapped.
     *
     * @throws IdempotencyException if a transaction is active on the thread, which would commit after the offsets
     */
    public void process(Consumer<K, V> consumer, ConsumerRecords<K, V> polled) {
        handle(consumer, polled).ifPresent(WatchedPoll::<RuntimeException>rethrow);
    }

    /** Handles the records of one poll. Returns the failure of a handler that a shadow consumer lets through. */
    Optional<Throwable> handle(Consumer<K, V> consumer, ConsumerRecords<K, V> polled) {
        PollProgress<K, V> progress = new PollProgress<>(polled);
        try {
            refuseTransaction();
            progress.settleEmpty(prepare(consumer));
            List<ConsumerRecord<K, V>> records = admit(consumer, progress);
            Optional<Throwable> failure =
                    bound.isShadow() ? WatchedPoll.handle(bound, progress, records) : Optional.empty();
            if (!records.isEmpty() && !bound.isShadow()) {
                hasLeft = false;
                Contained.consume(bound, records)
                        .forEach((partition, reached) -> leave(consumer, progress, partition, reached));
            }
            offsets.commit(consumer, settled.apply(progress.settled()));
            bound.tend(consumer.assignment());
            failure.ifPresent(thrown -> AssignedPartitions.seekAll(consumer, progress.unsettled(), thrown));
            return failure;
        } catch (Throwable failure) {
            AssignedPartitions.seekAll(consumer, progress.unsettled(), failure);
            throw failure;
        }
    }

    /**
     * Handles a record that made {@code poll} throw. It is charged as a failed message, with its bytes and headers. Once it is quarantined, the
     * consumer goes on behind it; until then its partition waits for the next try. Kafka returns the records before it first, so they are settled. With
     * a shadow consumer the failure is thrown again, and the consumer is back at the record.
     *
     * @throws IdempotencyException if a transaction is active on the thread
     */
    public void reject(Consumer<K, V> consumer, RecordDeserializationException failure) {
        TopicPartition partition = failure.topicPartition();
        OffsetAndMetadata here = new OffsetAndMetadata(failure.offset());
        Map<TopicPartition, OffsetAndMetadata> unsettled = new HashMap<>(Map.of(partition, here));
        try {
            refuseTransaction();
            if (bound.isShadow()) {
                throw failure;
            }
            boolean isAssigned = prepare(consumer).contains(partition);
            if (!isAssigned || !isReady(consumer, partition, here)) {
                return;
            }
            Optional<Duration> wait = Contained.reject(bound, new RejectedRecord(failure), rejectedIds);
            if (wait.isPresent()) {
                backOffs.leave(consumer, partition, here, wait.get());
                offsets.commit(consumer, Map.of());
                return;
            }
            OffsetAndMetadata behind = offsets.behind(consumer, partition, failure.offset() + 1);
            unsettled.put(partition, behind);
            // First, so that the seek goes to what is settled.
            offsets.commit(consumer, settled.apply(Map.of(partition, behind)));
            AssignedPartitions.seek(consumer, partition, behind);
        } catch (Throwable second) {
            AssignedPartitions.seekAll(consumer, unsettled, second);
            throw second;
        }
    }

    /**
     * Goes back to the first unsettled record of every partition. Call it after a {@code poll} that threw anything but a {@code WakeupException}
     * or a {@link RecordDeserializationException}. Under KIP-848 it may throw {@code IllegalStateException: No current assignment for partition}
     * after it has taken records of other partitions; without this call they would be skipped.
     */
    public void rewind(Consumer<K, V> consumer) {
        Set<TopicPartition> assigned = prepare(consumer);
        if (!assigned.isEmpty()) {
            offsets.next(consumer, assigned)
                    .forEach((partition, offset) -> AssignedPartitions.seek(consumer, partition, offset));
        }
    }

    /** Returns how long the next poll may wait: until the first back-off ends, at most the time given. */
    public Duration timeout(Duration atMost) {
        return backOffs.untilNext(atMost);
    }

    /**
     * Commits the position of each partition that has no committed offset yet. Call it from {@code ConsumerRebalanceListener.onPartitionsAssigned}: otherwise
     * {@link #rewind} does not know where a new partition began, if its first poll is lost.
     */
    public void assigned(Consumer<K, V> consumer, Collection<TopicPartition> partitions) {
        initialOffsets.commitPositions(consumer, partitions);
    }

    /**
     * Begins to replay quarantined records in this process, with the same handler, on a thread of its own. A batch handler gets batches of one. A {@link
     * PollLoop} does it by {@link PollLoopBuilder#replays}; code with a loop of its own calls this, and closes the replayer and then the records at its
     * end.
     *
     * @throws IdempotencyException if the consumer has no quarantine, or is a shadow consumer
     */
    public Replayer<?> replay(ReplayStore replays, ReplayRecords<K, V> records) {
        return bound.replay(replays, records);
    }

    void requireReplays(ReplayStore replays) {
        bound.requireReplays(replays);
    }

    /** Returns whether a partition went back to a record that was not settled, and nothing has been handled since. */
    boolean isBehind() {
        return hasLeft;
    }

    /** Commits all offsets that are not known to be committed and waits, as the last thing before partitions are given up. */
    void finish(Consumer<K, V> consumer) {
        offsets.retain(consumer.assignment());
        offsets.commitNow(consumer);
    }

    /** Tells the idempotent consumer of the partitions that are no longer among those given. */
    void retain(Set<TopicPartition> assigned) {
        if (!assigned.equals(owned)) {
            owned.stream().filter(partition -> !assigned.contains(partition)).forEach(bound::revoked);
            owned = Set.copyOf(assigned);
        }
    }

    /** Sets who hears of offsets behind settled records, and marks them, before they are committed. */
    void onSettled(UnaryOperator<Map<TopicPartition, OffsetAndMetadata>> settled) {
        this.settled = settled;
    }

    String name() {
        return bound.name();
    }

    boolean isShadow() {
        return bound.isShadow();
    }

    Duration chunkTime() {
        return bound.chunkTime();
    }

    int chunkRecords() {
        return bound.chunkRecords();
    }

    String describe() {
        return bound.describe();
    }

    private void refuseTransaction() {
        if (bound.isTransactionActive()) {
            throw new IdempotencyException("Records are not handled inside a transaction of the caller: "
                    + "their offsets would be committed before it. End it before calling the processor");
        }
    }

    private Set<TopicPartition> prepare(Consumer<K, V> consumer) {
        Set<TopicPartition> assigned = consumer.assignment();
        retain(assigned);
        backOffs.retain(assigned);
        offsets.retain(assigned);
        backOffs.resumeDue(consumer);
        return assigned;
    }

    /** Returns the records to handle now: none of partitions that were taken away or are in back-off. */
    private List<ConsumerRecord<K, V>> admit(Consumer<K, V> consumer, PollProgress<K, V> progress) {
        progress.retain(consumer.assignment());
        Map<TopicPartition, OffsetAndMetadata> firsts = new LinkedHashMap<>(progress.unsettled());
        firsts.keySet().removeIf(backOffs::isWaiting);
        Set<TopicPartition> unknown = offsets.begin(consumer, firsts);
        List<ConsumerRecord<K, V>> records = new ArrayList<>();
        progress.unsettled().forEach((partition, first) -> {
            if (backOffs.isWaiting(partition)) {
                backOffs.leaveAgain(consumer, partition, first);
            } else if (unknown.contains(partition)) {
                backOffs.leave(consumer, partition, first, Contained.LATER);
            } else {
                records.addAll(progress.records(partition));
            }
        });
        return records;
    }

    /** Leaves a partition at its first unsettled record, if it has one. */
    private void leave(
            Consumer<K, V> consumer, PollProgress<K, V> progress, TopicPartition partition, PartitionProgress reached) {
        progress.note(partition, reached);
        if (!reached.isSettled()) {
            hasLeft = true;
            backOffs.leave(consumer, partition, reached.next(), reached.retryAfter());
        }
    }

    private boolean isReady(Consumer<K, V> consumer, TopicPartition partition, OffsetAndMetadata offset) {
        if (backOffs.isWaiting(partition)) {
            backOffs.leaveAgain(consumer, partition, offset);
            return false;
        }
        if (!offsets.begin(consumer, Map.of(partition, offset)).isEmpty()) {
            backOffs.leave(consumer, partition, offset, Contained.LATER);
            return false;
        }
        return true;
    }
}
