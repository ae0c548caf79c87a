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
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

    private final RangeStore ranges;
    private final RangeReread<K, V> reread;
    private final RangeHandler<? super ConsumerRecord<K, V>> handler;
    private final NoArgGenerator tokens = Generators.timeBasedEpochGenerator();
    private final Map<TopicPartition, Integer> failures = new ConcurrentHashMap<>();

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
        BatchResult result = by.consumeBatch(records, this::record);
        Map<TopicPartition, Stop> stops = write(by, records);
        if (stops.isEmpty()) {
            return result;
        }
        List<Stop> all = new ArrayList<>(result.stops());
        all.addAll(stops.values());
        return new BatchResult(result.outcomes(), all);
    }

    /** Records a range for each partition, in the transaction of the claims. */
    private void record(List<ConsumerRecord<K, V>> records, List<Claim> claims) {
        Map<TopicPartition, List<Integer>> partitions = new LinkedHashMap<>();
        for (int i = 0; i < records.size(); i++) {
            partitions
                    .computeIfAbsent(KafkaRecords.partition(records.get(i)), none -> new ArrayList<>())
                    .add(i);
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
        ranges.open(opened);
    }

    /** Writes the open ranges of the partitions of these records. Returns stops for those that could not be written. */
    private Map<TopicPartition, Stop> write(
            IdempotentConsumer<ConsumerRecord<K, V>> by, List<ConsumerRecord<K, V>> records) {
        Map<TopicPartition, Integer> firsts = new HashMap<>();
        for (int i = 0; i < records.size(); i++) {
            firsts.putIfAbsent(KafkaRecords.partition(records.get(i)), i);
        }
        Map<TopicPartition, Stop> stops = new HashMap<>();
        for (Range range : ranges.open(by.name())) {
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
                stops.put(partition, stop(range, partition, first, failure));
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

    private Stop stop(Range range, TopicPartition partition, int first, Exception failure) {
        int before = failures.merge(partition, 1, Integer::sum) - 1;
        boolean isGone = failure instanceof RangeGoneException;
        Duration wait = isGone
                ? IdempotentConsumer.STAND_STILL
                : Contained.LATER.multipliedBy(1L << Math.min(before, MOST_DOUBLINGS));
        if (isGone) {
            log.error("Consumer {}: partition {} stands still. {}", describe(), partition, FailureText.line(failure));
        } else if (before == 0) {
            log.warn(
                    "Consumer {} could not write the range {}. It is tried again with the same token, from {} s to {} s apart. The offsets of its partition wait.",
                    describe(),
                    range,
                    Contained.LATER.toSeconds(),
                    Contained.LATER.toSeconds() << MOST_DOUBLINGS,
                    FailureText.loggable(failure));
        } else {
            log.debug("The range {} could not be written, {} times in a row.", range, before + 1, failure);
        }
        return new Stop(first, wait, Optional.of(failure), false);
    }
}
