package io.idempotency.kafka;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** A mock that keeps its records after a seek back, as a broker does, and fails on request. */
final class ScriptedConsumer extends MockConsumer<String, String> {

    static final String TOPIC = "orders";
    static final TopicPartition P0 = new TopicPartition(TOPIC, 0);
    static final TopicPartition P1 = new TopicPartition(TOPIC, 1);

    final List<Map<TopicPartition, OffsetAndMetadata>> commits = new CopyOnWriteArrayList<>();
    final List<Set<TopicPartition>> lookUps = new CopyOnWriteArrayList<>();
    final Deque<RuntimeException> commitFailures = new ArrayDeque<>();
    final Deque<RuntimeException> lookUpFailures = new ArrayDeque<>();
    private final List<ConsumerRecord<String, String>> log = new CopyOnWriteArrayList<>();
    private Runnable first = () -> {};

    ScriptedConsumer(TopicPartition... partitions) {
        super("earliest");
        subscribe(List.of(TOPIC));
        reassign(partitions);
    }

    void reassign(TopicPartition... partitions) {
        Set<TopicPartition> lost = new HashSet<>(paused());
        lost.removeAll(Set.of(partitions));
        resume(lost); // the mock alone would remember the pause of a lost partition
        rebalance(List.of(partitions));
        for (TopicPartition partition : partitions) {
            updateBeginningOffsets(Map.of(partition, 0L));
        }
    }

    /** Runs the action with the first poll, before the scheduled tasks. */
    void beforeFirstPoll(Runnable action) {
        first = action;
    }

    void records(TopicPartition partition, long first, int count) {
        for (long offset = first; offset < first + count; offset++) {
            log.add(new ConsumerRecord<>(partition.topic(), partition.partition(), offset, "k", "v" + offset));
        }
    }

    @Override
    public synchronized ConsumerRecords<String, String> poll(Duration timeout) {
        first.run();
        first = () -> {};
        Collection<TopicPartition> assigned = assignment();
        for (ConsumerRecord<String, String> record : log) {
            if (assigned.contains(KafkaRecords.partition(record))) {
                addRecord(record);
            }
        }
        return super.poll(timeout);
    }

    @Override
    public synchronized void commitSync(Map<TopicPartition, OffsetAndMetadata> offsets) {
        RuntimeException failure = commitFailures.poll();
        if (failure != null) {
            throw failure;
        }
        commits.add(offsets);
        super.commitSync(offsets);
    }

    @Override
    public synchronized Map<TopicPartition, OffsetAndMetadata> committed(Set<TopicPartition> partitions) {
        RuntimeException failure = lookUpFailures.poll();
        if (failure != null) {
            throw failure;
        }
        lookUps.add(Set.copyOf(partitions));
        return super.committed(partitions);
    }

    long committed(TopicPartition partition) {
        OffsetAndMetadata offset = super.committed(Set.of(partition)).get(partition);
        return offset == null ? -1 : offset.offset();
    }
}
