package io.idempotency.kafka;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * Gathers the records of several polls, before anybody claims them, until there are enough or time is over. Kafka's consumer is ahead of what is handled meanwhile. So if
 * a poll fails, or a partition is given up, what was gathered is dropped, and polled again by whoever owns the partition. Confined to the polling thread.
 */
final class Gathering<K, V> {

    private final int enough;
    private final long nanos;
    private final LongSupplier nanoTime;
    private final Map<TopicPartition, List<ConsumerRecord<K, V>>> gathered = new LinkedHashMap<>();
    private final Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>();
    private int count;
    private long since;
    private boolean isUrgent;

    /**
     * @param enough with so many records, and no fewer, a batch is complete; 1 if nothing is gathered
     * @param time after its first record a batch is complete
     */
    Gathering(int enough, Duration time, LongSupplier nanoTime) {
        this.enough = enough;
        this.nanos = time.toNanos();
        this.nanoTime = nanoTime;
    }

    /** Returns one that gathers nothing: every poll is a batch. */
    static <K, V> Gathering<K, V> none() {
        return new Gathering<>(1, Duration.ZERO, System::nanoTime);
    }

    /**
     * Adds the records of a poll. Returns the records to handle now, and has none left then. Returns no records while a batch is not complete.
     */
    ConsumerRecords<K, V> add(ConsumerRecords<K, V> polled) {
        if (enough == 1 || (count == 0 && polled.isEmpty())) {
            return polled;
        }
        next.putAll(polled.nextOffsets());
        for (TopicPartition partition : polled.partitions()) {
            add(partition, polled.records(partition));
        }
        if (count < enough && left() > 0 && !isUrgent) {
            return ConsumerRecords.empty();
        }
        return take();
    }

    private void add(TopicPartition partition, List<ConsumerRecord<K, V>> more) {
        List<ConsumerRecord<K, V>> before = gathered.get(partition);
        if (before != null
                && more.get(0).offset() <= before.get(before.size() - 1).offset()) {
            // The partition went back, so these come again.
            drop(Set.of(partition));
        }
        if (count == 0) {
            since = nanoTime.getAsLong();
        }
        gathered.computeIfAbsent(partition, none -> new ArrayList<>()).addAll(more);
        count += more.size();
    }

    /** Returns all that was gathered, complete or not, and has none left. */
    ConsumerRecords<K, V> take() {
        ConsumerRecords<K, V> all = new ConsumerRecords<>(new LinkedHashMap<>(gathered), new HashMap<>(next));
        clear();
        return all;
    }

    private void clear() {
        gathered.clear();
        next.clear();
        count = 0;
    }

    /**
     * Sets whether polls are handed over as they come. While a message that failed is looked for, each delivery is small, and waiting for more would only take
     * time.
     */
    void urgent(boolean now) {
        isUrgent = now;
    }

    /** Returns how long the next poll may wait: until the batch is complete, at most the time given. */
    Duration timeout(Duration atMost) {
        return count == 0 || left() >= atMost.toNanos() ? atMost : Duration.ofNanos(Math.max(0, left()));
    }

    private long left() {
        return nanos - (nanoTime.getAsLong() - since);
    }

    boolean isEmpty() {
        return count == 0;
    }

    /** Drops the records of partitions that are given up. */
    void drop(Collection<TopicPartition> partitions) {
        for (TopicPartition partition : partitions) {
            List<ConsumerRecord<K, V>> dropped = gathered.remove(partition);
            count -= dropped == null ? 0 : dropped.size();
            next.remove(partition);
        }
    }

    /** Drops all records. Returns the offsets of the first ones, where their partitions go on. */
    Map<TopicPartition, OffsetAndMetadata> dropAll() {
        Map<TopicPartition, OffsetAndMetadata> firsts = new HashMap<>();
        gathered.forEach((partition, records) -> firsts.put(partition, KafkaRecords.offset(records.get(0))));
        clear();
        return firsts;
    }
}
