package io.idempotency.kafka;

import io.idempotency.ranges.Range;
import io.idempotency.ranges.RangeGoneException;
import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;

/** Reads the records of a range again from Kafka, by their exact offsets, with a consumer of its own outside of any group. Thread-safe. */
final class RangeReread<K, V> {

    private static final Duration POLL = Duration.ofSeconds(1);

    private final Supplier<Consumer<K, V>> connect;
    private final Duration patience;

    /** @param patience how long it waits for the next records */
    RangeReread(Supplier<Consumer<K, V>> connect, Duration patience) {
        this.connect = connect;
        this.patience = patience;
    }

    /**
     * Returns exactly the records of the range.
     *
     * @throws RangeGoneException if one of them is gone
     * @throws TransientStoreException if Kafka does not answer in time
     */
    List<ConsumerRecord<K, V>> read(Range range) {
        TopicPartition partition = new TopicPartition(range.stream(), range.partition());
        List<ConsumerRecord<K, V>> records = new ArrayList<>(range.size());
        try (Consumer<K, V> consumer = connect.get()) {
            consumer.assign(Set.of(partition));
            Long end = consumer.endOffsets(Set.of(partition), patience).get(partition);
            if (end != null && end <= range.lastOffset()) {
                throw new RangeGoneException(range, "the topic ends before its last record");
            }
            consumer.seek(partition, range.firstOffset());
            long seen = System.nanoTime();
            while (consumer.position(partition, patience) <= range.lastOffset()) {
                List<ConsumerRecord<K, V>> polled = consumer.poll(POLL).records(partition);
                for (ConsumerRecord<K, V> record : polled) {
                    if (range.contains(record.offset())) {
                        records.add(record);
                    }
                }
                if (!polled.isEmpty()) {
                    seen = System.nanoTime();
                } else if (System.nanoTime() - seen > patience.toNanos()) {
                    throw new TransientStoreException("The records of " + range + " did not come from Kafka within "
                            + patience.toSeconds() + " s");
                }
            }
        } catch (TimeoutException away) {
            throw new TransientStoreException("The records of " + range + " could not be read from Kafka", away);
        } catch (OffsetOutOfRangeException cut) {
            throw new RangeGoneException(range, "the topic no longer has its first records");
        }
        if (records.size() != range.size()) {
            throw new RangeGoneException(
                    range, "the topic has only " + records.size() + " of its records, as after a compaction");
        }
        return records;
    }

    /** @throws RangeGoneException if these are the ids of other records, as of a topic that was created again */
    void requireSame(Range range, List<String> ids) {
        if (!Arrays.equals(range.digest(), Range.digest(ids))) {
            throw new RangeGoneException(
                    range,
                    "other ids are at its offsets now, as after the topic was created again, or after a change in how ids are read");
        }
    }
}
