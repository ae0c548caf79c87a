package io.idempotency.kafka;

import io.idempotency.BatchHandler;
import io.idempotency.IdempotentConsumer;
import io.idempotency.MessageHandler;
import io.idempotency.MessageIdExtractor;
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
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordDeserializationException;

/**
 * Handles what a poll returned, in any poll loop. Borrows the caller's consumer for one call, owns neither a consumer nor a thread:
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
 *   <li>Resumes the partitions whose back-off is over; therefore it is called with empty polls, too.
 *   <li>A partition without a committed offset gets the one of its first record committed, so that a crash during the first back-off
 *       does not begin at {@code auto.offset.reset}.
 *   <li>The records run through the idempotent consumer.
 *   <li>Where a record is not settled, the consumer goes back to it, and its partition is paused until it is due. Other partitions go on.
 *   <li>The offsets behind settled records are sent to be committed, never before the database, and not waited for: closing the consumer does that.
 *       A commit that fails for now (rebalance, broker away) is logged and made up for by the next call; the redelivery is skipped. One that
 *       fails for good makes the next call fail. They carry the leader epoch, so that Kafka sees a log that was cut below them.
 * </ol>
 *
 * <p>The consumer needs {@code enable.auto.commit=false}. Before any exception leaves, it is back at the first unsettled record of
 * every partition, so that not even a {@code close()} with auto-commit can commit past one.
 *
 * <p>Keeps the state of one consumer; used by one thread at a time, the one that polls.
 */
public final class RecordProcessor<K, V> {

    private final BoundConsumer<K, V> bound;
    private final MessageIdExtractor<? super ConsumerRecord<byte[], byte[]>> rejectedIds;
    private final LongSupplier nanoTime;
    private final Waits waits;
    private final Offsets offsets = new Offsets();
    private Set<TopicPartition> owned = Set.of();

    RecordProcessor(
            BoundConsumer<K, V> bound,
            MessageIdExtractor<? super ConsumerRecord<byte[], byte[]>> rejectedIds,
            LongSupplier nanoTime) {
        this.bound = bound;
        this.rejectedIds = rejectedIds;
        this.nanoTime = nanoTime;
        this.waits = new Waits(nanoTime);
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
     * Returns a fresh processor that finds the message id of a record that cannot be deserialized in this way, to be used with the same
     * header names as the consumer's own; unless said otherwise by {@link MessageIds#defaults()}.
     */
    public RecordProcessor<K, V> rejectedMessageId(MessageIdExtractor<? super ConsumerRecord<byte[], byte[]>> ids) {
        return new RecordProcessor<>(bound, ids, nanoTime);
    }

    /**
     * Handles the records of one poll, none or many. If the idempotent consumer throws, whatever it is but an error of the virtual machine, the
     * partitions of the records stand still, and others go on.
     *
     * @throws IdempotencyException if a transaction is active on the thread, which would commit after the offsets
     */
    public void process(Consumer<K, V> consumer, ConsumerRecords<K, V> polled) {
        Map<TopicPartition, OffsetAndMetadata> unsettled = new LinkedHashMap<>();
        for (TopicPartition partition : polled.partitions()) {
            unsettled.put(
                    partition, KafkaRecords.offset(polled.records(partition).get(0)));
        }
        try {
            refuseTransaction();
            Set<TopicPartition> assigned = prepare(consumer);
            Map<TopicPartition, OffsetAndMetadata> settled = new HashMap<>(polled.nextOffsets());
            settled.keySet().retainAll(assigned);
            settled.keySet().removeAll(polled.partitions());
            List<ConsumerRecord<K, V>> records = admit(consumer, polled, unsettled);
            if (!records.isEmpty()) {
                settled.putAll(settle(consumer, polled, Contained.consume(bound, records), unsettled));
            }
            offsets.commit(consumer, settled);
        } catch (Throwable failure) {
            Assigned.seekAll(consumer, unsettled, failure);
            throw failure;
        }
    }

    /**
     * Handles a record that made {@code poll} throw: it is charged as a failed message with its bytes and headers. When it is settled,
     * that is quarantined, the consumer goes on behind it; otherwise its partition stands still until the next try. Kafka returns the records before it
     * first, so they are settled.
     *
     * @throws IdempotencyException if a transaction is active on the thread
     */
    public void reject(Consumer<K, V> consumer, RecordDeserializationException failure) {
        TopicPartition partition = failure.topicPartition();
        OffsetAndMetadata here = new OffsetAndMetadata(failure.offset());
        Map<TopicPartition, OffsetAndMetadata> unsettled = new HashMap<>(Map.of(partition, here));
        try {
            refuseTransaction();
            boolean isAssigned = prepare(consumer).contains(partition);
            if (!isAssigned || !isReady(consumer, partition, here)) {
                return;
            }
            Optional<Duration> wait = Contained.reject(bound, new RejectedRecord(failure), rejectedIds);
            if (wait.isPresent()) {
                waits.leave(consumer, partition, here, wait.get());
                offsets.commit(consumer, Map.of());
                return;
            }
            OffsetAndMetadata behind = offsets.behind(consumer, partition, failure.offset() + 1);
            unsettled.put(partition, behind);
            Assigned.seek(consumer, partition, behind);
            offsets.commit(consumer, Map.of(partition, behind));
        } catch (Throwable second) {
            Assigned.seekAll(consumer, unsettled, second);
            throw second;
        }
    }

    /**
     * Goes back to the first record that is not settled in every partition. For a {@code poll} that threw anything but a {@code
     * WakeupException} or a {@link RecordDeserializationException}: under KIP-848 it may throw {@code IllegalStateException: No current
     * assignment for partition} after it has taken records of other partitions, which are then gone without this call.
     */
    public void rewind(Consumer<K, V> consumer) {
        Set<TopicPartition> assigned = prepare(consumer);
        if (!assigned.isEmpty()) {
            offsets.next(consumer, assigned).forEach((partition, offset) -> Assigned.seek(consumer, partition, offset));
        }
    }

    /** Returns how long the next poll may wait: until the first back-off ends, at most the time given. */
    public Duration timeout(Duration atMost) {
        return waits.untilNext(atMost);
    }

    /** Commits the position in each partition given that has no committed offset yet; to be called when they are assigned. */
    void assigned(Consumer<K, V> consumer, Collection<TopicPartition> partitions) {
        offsets.beginAtPosition(consumer, partitions);
    }

    /** Commits what is not known to be committed and waits for it, as the last thing before partitions are given up. */
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

    Duration chunkTime() {
        return bound.chunkTime();
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
        waits.retain(assigned);
        offsets.retain(assigned);
        waits.resumeDue(consumer);
        return assigned;
    }

    /** Returns the records to be handled now: not those of partitions that were taken away or wait. */
    private List<ConsumerRecord<K, V>> admit(
            Consumer<K, V> consumer, ConsumerRecords<K, V> polled, Map<TopicPartition, OffsetAndMetadata> unsettled) {
        Set<TopicPartition> assigned = consumer.assignment();
        unsettled.keySet().retainAll(assigned);
        Map<TopicPartition, OffsetAndMetadata> firsts = new LinkedHashMap<>(unsettled);
        firsts.keySet().removeIf(waits::isWaiting);
        Set<TopicPartition> unknown = offsets.begin(consumer, firsts);
        List<ConsumerRecord<K, V>> records = new ArrayList<>();
        unsettled.forEach((partition, first) -> {
            if (waits.isWaiting(partition)) {
                waits.leaveAgain(consumer, partition, first);
            } else if (unknown.contains(partition)) {
                waits.leave(consumer, partition, first, Contained.LATER);
            } else {
                records.addAll(polled.records(partition));
            }
        });
        return records;
    }

    /** Leaves every partition at its first unsettled record and returns the offsets to commit. */
    private Map<TopicPartition, OffsetAndMetadata> settle(
            Consumer<K, V> consumer,
            ConsumerRecords<K, V> polled,
            Map<TopicPartition, Left> left,
            Map<TopicPartition, OffsetAndMetadata> unsettled) {
        Map<TopicPartition, OffsetAndMetadata> settled = new HashMap<>();
        left.forEach((partition, where) -> {
            if (where.isSettled()) {
                unsettled.remove(partition);
                // Behind transaction markers, too, or the lag never reaches 0.
                settled.put(partition, polled.nextOffsets().getOrDefault(partition, where.next()));
                return;
            }
            OffsetAndMetadata first = unsettled.put(partition, where.next());
            if (first != null && where.next().offset() > first.offset()) {
                settled.put(partition, where.next());
            }
            waits.leave(consumer, partition, where.next(), where.retryAfter());
        });
        return settled;
    }

    private boolean isReady(Consumer<K, V> consumer, TopicPartition partition, OffsetAndMetadata offset) {
        if (waits.isWaiting(partition)) {
            waits.leaveAgain(consumer, partition, offset);
            return false;
        }
        if (!offsets.begin(consumer, Map.of(partition, offset)).isEmpty()) {
            waits.leave(consumer, partition, offset, Contained.LATER);
            return false;
        }
        return true;
    }
}
