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
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** A mock that keeps its records after a seek back, as a broker does, and fails on request. */
final class ScriptedConsumer extends MockConsumer<String, String> {

    static final String TOPIC = "orders";
    static final TopicPartition P0 = new TopicPartition(TOPIC, 0);
    static final TopicPartition P1 = new TopicPartition(TOPIC, 1);

    final List<Map<TopicPartition, OffsetAndMetadata>> commits = new CopyOnWriteArrayList<>();
    final List<Set<TopicPartition>> lookUps = new CopyOnWriteArrayList<>();
    final List<OffsetAndMetadata> seeks = new CopyOnWriteArrayList<>();
    final Deque<RuntimeException> commitFailures = new ArrayDeque<>();
    final Deque<RuntimeException> lookUpFailures = new ArrayDeque<>();
    private final List<ConsumerRecord<String, String>> log = new CopyOnWriteArrayList<>();
    private final Deque<Runnable> answers = new ArrayDeque<>();
    boolean isAnswerHeldBack;
    /** How often a commit was waited for. */
    int waits;

    private Runnable first = () -> {};
    private @Nullable ConsumerRebalanceListener listener;

    ScriptedConsumer(TopicPartition... partitions) {
        super("earliest");
        subscribe(List.of(TOPIC));
        reassign(partitions);
    }

    /** A consumer tells of partitions that it gives up while it has them, the mock alone when they are gone. */
    @Override
    public synchronized void subscribe(Collection<String> topics, ConsumerRebalanceListener told) {
        listener = told;
        super.subscribe(topics, new ConsumerRebalanceListener() {
            @Override
            public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
                told.onPartitionsAssigned(partitions);
            }

            @Override
            public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
                // told before
            }
        });
    }

    void reassign(TopicPartition... partitions) {
        Set<TopicPartition> givenUp = new HashSet<>(assignment());
        givenUp.removeAll(Set.of(partitions));
        if (listener != null && !givenUp.isEmpty()) {
            listener.onPartitionsRevoked(givenUp);
        }
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
        waits++;
        RuntimeException failure = commitFailures.poll();
        if (failure != null) {
            throw failure;
        }
        commits.add(offsets);
        super.commitSync(offsets);
    }

    /** Answers at once, unless the answers are held back; like the KIP-848 consumer, without the offsets if it failed. */
    @Override
    public synchronized void commitAsync(
            Map<TopicPartition, OffsetAndMetadata> offsets, @Nullable OffsetCommitCallback callback) {
        RuntimeException failure = commitFailures.poll();
        if (failure == null) {
            commits.add(offsets);
            super.commitAsync(offsets, null);
        }
        if (callback != null) {
            answers.add(() -> callback.onComplete(failure == null ? offsets : null, failure));
        }
        if (!isAnswerHeldBack) {
            answer();
        }
    }

    /** Gives the answers that were held back. */
    void answer() {
        for (Runnable answer = answers.poll(); answer != null; answer = answers.poll()) {
            answer.run();
        }
    }

    @Override
    public synchronized void seek(TopicPartition partition, OffsetAndMetadata offset) {
        seeks.add(offset);
        super.seek(partition, offset);
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
