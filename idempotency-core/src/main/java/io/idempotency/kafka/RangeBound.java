package io.idempotency.kafka;

import com.fasterxml.uuid.Generators;
import com.fasterxml.uuid.NoArgGenerator;
import io.idempotency.BatchResult;
import io.idempotency.ConsistencyLevel;
import io.idempotency.FailureText;
import io.idempotency.IdempotentConsumer;
import io.idempotency.Stop;
import io.idempotency.ranges.Range;
import io.idempotency.ranges.RangeGoneException;
import io.idempotency.ranges.RangeHandler;
import io.idempotency.ranges.RangeStore;
import io.idempotency.store.Claim;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes records in ranges:
 *
 * <ol>
 *   <li>One transaction claims the messages of a chunk, and records a range for each partition: the offsets of those that are new, and a token. It writes nothing to the
 *       sink.
 *   <li>Read the ranges of these partitions that are not done. Beside those of this call there may be one of a former owner, which died or stands still.
 *   <li>Write each, in order, and note that it is done. The records at hand serve if they are all there; otherwise the exact offsets are read again from Kafka.
 *   <li>Only then are the offsets of the partition committed. If a range could not be written, its partition goes back to its first record. The records come again as
 *       duplicates, which bring no effect, and the range is written again.
 * </ol>
 */
final class RangeBound<K, V> extends BoundConsumer.OfHandler<K, V> {

    private static final Logger log = LoggerFactory.getLogger(RecordProcessor.class);
    private static final int MOST_DOUBLINGS = 5;
    private static final int WARN_EVERY = 30;

    /** How often it looks for open ranges that no record brings back, such as those of a replay. */
    static final Duration TEND_EVERY = Duration.ofSeconds(10);

    private final RangeStore ranges;
    private final RangeReread<K, V> reread;
    private final RangeHandler<? super ConsumerRecord<K, V>> handler;
    private final NoArgGenerator tokens = Generators.timeBasedEpochGenerator();
    private final Map<TopicPartition, Integer> failures = new ConcurrentHashMap<>();
    /** Partitions of which this process knows that none of their ranges is open, but for those that it opens itself. */
    private final Set<TopicPartition> clean = ConcurrentHashMap.newKeySet();

    private long tendedNanos = System.nanoTime() - TEND_EVERY.toNanos();

    RangeBound(
            IdempotentConsumer<ConsumerRecord<K, V>> consumer,
            RangeStore ranges,
            RangeReread<K, V> reread,
            RangeHandler<? super ConsumerRecord<K, V>> handler) {
        super(consumer);
        if (consumer.level() != ConsistencyLevel.STRONG || consumer.isShadow()) {
            throw new IdempotencyException("Consumer " + consumer.name()
                    + " cannot write ranges: they are recorded in the transaction of the claim, so it needs the level STRONG"
                    + " and no shadow mode");
        }
        if (consumer.isScoped()) {
            throw new IdempotencyException("Consumer " + consumer.name()
                    + " cannot write ranges: its messages have scopes, and a range is read and ended outside of them");
        }
        this.ranges = ranges;
        this.reread = reread;
        this.handler = handler;
    }

    @Override
    public boolean isBatch() {
        return true;
    }

    @Override
    BatchResult consume(IdempotentConsumer<ConsumerRecord<K, V>> by, List<ConsumerRecord<K, V>> records) {
        List<Range> open = areClean(records) ? List.of() : ranges.open(by.name());
        BatchResult result = by.consumeBatch(records, (some, claims) -> record(some, claims, open));
        Map<TopicPartition, Stop> stops = write(by, records);
        if (stops.isEmpty()) {
            return result;
        }
        List<Stop> all = new ArrayList<>(result.stops());
        all.addAll(stops.values());
        return new BatchResult(result.outcomes(), all);
    }

    private boolean areClean(List<ConsumerRecord<K, V>> records) {
        TopicPartition last = null;
        for (ConsumerRecord<K, V> record : records) {
            if (last == null
                    || record.partition() != last.partition()
                    || !record.topic().equals(last.topic())) {
                last = KafkaRecords.partition(record);
                if (!clean.contains(last)) {
                    return false;
                }
            }
        }
        return true;
    }

    private static boolean isIn(List<Range> open, ConsumerRecord<?, ?> record) {
        return open.stream()
                .anyMatch(range -> range.partition() == record.partition()
                        && range.stream().equals(record.topic())
                        && range.contains(record.offset()));
    }

    /**
     * Records a range for each partition, in the transaction of the claims.
     *
     * @param open ranges whose records are in no other one, also if their messages were forgotten meanwhile
     */
    private void record(List<ConsumerRecord<K, V>> records, List<Claim> claims, List<Range> open) {
        Map<TopicPartition, List<Integer>> partitions = new LinkedHashMap<>();
        for (int i = 0; i < records.size(); i++) {
            if (!isIn(open, records.get(i))) {
                partitions
                        .computeIfAbsent(KafkaRecords.partition(records.get(i)), none -> new ArrayList<>())
                        .add(i);
            }
        }
        List<Range> opened = new ArrayList<>();
        partitions.forEach((partition, of) -> opened.add(new Range(
                claims.get(of.get(0)).delivery().id().consumer(),
                partition.topic(),
                partition.partition(),
                tokens.generate().toString(),
                of.stream().mapToLong(i -> records.get(i).offset()).toArray(),
                Range.digest(of.stream()
                        .map(i -> claims.get(i).delivery().id().value())
                        .toList()))));
        try {
            ranges.open(opened);
        } catch (RuntimeException e) {
            // It says nothing about the messages, whatever it is.
            throw new TransientStoreException(
                    "The ranges of these messages could not be recorded: " + e.getMessage(), e);
        }
    }

    /** Writes the open ranges of the partitions of these records. Returns stops for those that could not be written. */
    private Map<TopicPartition, Stop> write(
            IdempotentConsumer<ConsumerRecord<K, V>> by, List<ConsumerRecord<K, V>> records) {
        Map<TopicPartition, Integer> firsts = new HashMap<>();
        for (int i = 0; i < records.size(); i++) {
            firsts.putIfAbsent(KafkaRecords.partition(records.get(i)), i);
        }
        Map<TopicPartition, Stop> stops = new HashMap<>();
        List<Range> open = ranges.open(by.name());
        if (by == consumer()) {
            clean.addAll(firsts.keySet());
        }
        for (Range range : open) {
            TopicPartition partition = new TopicPartition(range.stream(), range.partition());
            Integer first = firsts.get(partition);
            if (first == null || stops.containsKey(partition)) {
                continue;
            }
            try {
                write(by, range, records);
                failures.remove(partition);
            } catch (Exception failure) {
                if (failure instanceof InterruptedException) {
                    Thread.currentThread().interrupt();
                }
                clean.remove(partition);
                stops.put(partition, new Stop(first, noted(range, partition, failure), Optional.of(failure), false));
            }
        }
        return stops;
    }

    private void write(IdempotentConsumer<ConsumerRecord<K, V>> by, Range range, List<ConsumerRecord<K, V>> records)
            throws Exception {
        List<ConsumerRecord<K, V>> own = new ArrayList<>(range.size());
        for (ConsumerRecord<K, V> record : records) {
            if (record.partition() == range.partition()
                    && record.topic().equals(range.stream())
                    && range.contains(record.offset())) {
                own.add(record);
            }
        }
        if (own.size() != range.size()) {
            own = reread.read(range);
        }
        reread.requireSame(
                range, own.stream().map(record -> by.idOf(record).value()).toList());
        handler.write(range, List.copyOf(own));
        ranges.done(range);
    }

    /** Tells the log of a failure. Returns how long the partition waits. */
    private Duration noted(Range range, TopicPartition partition, Exception failure) {
        int before = failures.merge(partition, 1, Integer::sum) - 1;
        boolean isGone = failure instanceof RangeGoneException;
        if (isGone) {
            log.error("Consumer {}: partition {} stands still. {}", describe(), partition, FailureText.line(failure));
        } else if (before % WARN_EVERY == 0) {
            log.warn(
                    "Consumer {} could not write the range {}, {} times in a row. It is tried again with the same token, from {} s to {} s apart. The offsets of its partition wait.",
                    describe(),
                    range,
                    before + 1,
                    Contained.LATER.toSeconds(),
                    Contained.LATER.toSeconds() << MOST_DOUBLINGS,
                    FailureText.loggable(failure));
        } else {
            log.debug("The range {} could not be written, {} times in a row.", range, before + 1, failure);
        }
        return isGone
                ? IdempotentConsumer.STAND_STILL
                : Contained.LATER.multipliedBy(1L << Math.min(before, MOST_DOUBLINGS));
    }

    /** {@inheritDoc} Writes open ranges of these partitions, whose offsets may be committed: a replay has recorded them, or somebody has set offsets. */
    @Override
    public void tend(Set<TopicPartition> assigned) {
        long now = System.nanoTime();
        if (now - tendedNanos < TEND_EVERY.toNanos()) {
            return;
        }
        tendedNanos = now;
        try {
            for (Range range : ranges.open(consumer().name())) {
                TopicPartition partition = new TopicPartition(range.stream(), range.partition());
                if (assigned.contains(partition) && !failures.containsKey(partition)) {
                    tend(range, partition);
                }
            }
        } catch (RuntimeException e) {
            log.debug("Open ranges of {} could not be read. This is tried again.", describe(), e);
        }
    }

    private void tend(Range range, TopicPartition partition) {
        try {
            write(consumer(), range, List.of());
        } catch (Exception failure) {
            if (failure instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            clean.remove(partition);
            log.warn(
                    "Consumer {} could not write the open range {}. It is tried again every {} s.",
                    describe(),
                    range,
                    TEND_EVERY.toSeconds(),
                    FailureText.loggable(failure));
        }
    }

    @Override
    public void revoked(TopicPartition partition) {
        clean.remove(partition);
        failures.remove(partition);
        super.revoked(partition);
    }
}
