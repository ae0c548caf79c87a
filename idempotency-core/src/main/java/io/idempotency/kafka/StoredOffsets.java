package io.idempotency.kafka;

import static java.util.stream.Collectors.toMap;

import io.idempotency.FailureText;
import io.idempotency.store.OffsetStore;
import io.idempotency.store.SettledRun;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.clients.consumer.NoOffsetForPartitionException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Begins partitions behind the offsets that a store knows to be settled, and stores those that are settled from there on. Not thread-safe: used on the polling
 * thread.
 *
 * <p>For each partition it keeps a run: the offsets from a begin to an end, of which each is settled. A partition moves ahead only if it would begin within the
 * stored run. Everywhere else a new run begins. Committed offsets are marked with the begin of their run. So a committed offset behind the stored run belongs to
 * it, if it has its mark: the store is written less often. One that somebody has set has no mark.
 */
final class StoredOffsets {

    private static final Logger log = LoggerFactory.getLogger(PollLoop.class);

    static final String NONE = "none";
    static final String EARLIEST = "earliest";
    private static final String LATEST = "latest";

    private final String consumer;
    private final StoredRuns runs;
    private final LogBreaks breaks;
    private final Supplier<Admin> admins;
    private final String reset;
    private final LongSupplier nanoTime;
    /** Assigned partitions that are paused, because it is not known where they begin. */
    private final Set<TopicPartition> waiting = new HashSet<>();

    /** Partitions that have no offset, neither in Kafka nor in the store, under {@code auto.offset.reset=none}. */
    private final Set<TopicPartition> lacking = new HashSet<>();

    private long triedNanos;

    /** @param reset the {@code auto.offset.reset} of the consumer */
    StoredOffsets(String consumer, OffsetStore store, Supplier<Admin> admins, String reset, LongSupplier nanoTime) {
        this.consumer = consumer;
        this.runs = new StoredRuns(consumer, store, nanoTime);
        this.breaks = new LogBreaks(consumer, runs, reset);
        this.admins = admins;
        this.reset = reset;
        this.nanoTime = nanoTime;
    }

    static String reset(Map<String, Object> properties) {
        Object reset = properties.get(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG);
        return reset == null ? LATEST : String.valueOf(reset).trim().toLowerCase(Locale.ROOT);
    }

    /**
     * Begins partitions that were just assigned. One look-up in Kafka for their topics, one in the store. If that fails, the partitions are paused, and {@link
     * #beginWaiting} tries again: to begin anywhere else could skip what nobody has handled.
     *
     * @return the partitions that have begun
     * @throws InvalidOffsetException if {@code auto.offset.reset} is {@code none}, and neither Kafka nor the store has an offset, or the log was cut off in front of it
     */
    Collection<TopicPartition> assigned(Consumer<?, ?> kafka, Collection<TopicPartition> partitions) {
        drop(partitions);
        if (partitions.isEmpty() || begin(kafka, Set.copyOf(partitions))) {
            return partitions;
        }
        await(kafka, partitions);
        return List.of();
    }

    /** Pauses partitions until it is known where they begin. */
    void await(Consumer<?, ?> kafka, Collection<TopicPartition> partitions) {
        runs.forget(partitions);
        kafka.pause(partitions);
        if (reset.equals(NONE)) {
            // Nothing is polled from there, but a poll needs some position.
            kafka.seekToBeginning(partitions);
        }
        waiting.addAll(partitions);
    }

    boolean isWaiting(TopicPartition partition) {
        return waiting.contains(partition);
    }

    /** Returns whether a poll should end soon: a partition waits, or something is not stored yet. */
    boolean isDue() {
        return !waiting.isEmpty() || runs.areBehind();
    }

    /** Begins paused partitions, once a second. Returns those that have begun. */
    Collection<TopicPartition> beginWaiting(Consumer<?, ?> kafka) {
        waiting.retainAll(kafka.assignment());
        Set<TopicPartition> all = Set.copyOf(waiting);
        if (all.isEmpty() || nanoTime.getAsLong() - triedNanos < StoredRuns.APART.toNanos() || !begin(kafka, all)) {
            return List.of();
        }
        waiting.removeAll(all);
        all.forEach(partition -> AssignedPartitions.resume(kafka, partition));
        return all;
    }

    /** Returns whether the partitions have begun. */
    private boolean begin(Consumer<?, ?> kafka, Set<TopicPartition> partitions) {
        triedNanos = nanoTime.getAsLong();
        try {
            Map<String, String> topicIds = topicIds(partitions);
            Map<TopicPartition, SettledRun> stored = runs.stored();
            Map<TopicPartition, OffsetAndMetadata> committed = kafka.committed(partitions);
            Map<TopicPartition, Long> firsts = kafka.beginningOffsets(partitions);
            Map<TopicPartition, Long> ends = kafka.endOffsets(partitions);
            List<KnownPartition> all = partitions.stream()
                    .map(partition -> new KnownPartition(
                            partition,
                            topicIds.getOrDefault(partition.topic(), ""),
                            Optional.ofNullable(stored.get(partition)),
                            Optional.ofNullable(committed.get(partition)),
                            firsts.getOrDefault(partition, 0L),
                            ends.getOrDefault(partition, 0L)))
                    .toList();
            // All first: Kafka compares their leader epochs together.
            all.forEach(known -> seek(kafka, known));
            Map<TopicPartition, OffsetAndMetadata> moved = new HashMap<>();
            all.forEach(known -> begin(kafka, known).ifPresent(offset -> moved.put(known.partition(), offset)));
            commit(kafka, moved);
            // Before anything is settled: whoever forgets messages deletes the row, and finds none otherwise.
            runs.writeChanged();
            return true;
        } catch (InvalidOffsetException | WakeupException | InterruptException leaves) {
            throw leaves;
        } catch (RuntimeException failed) {
            Contained.letFatalLeave(failed);
            runs.forget(partitions);
            log.warn(
                    "Consumer {}: it is not known which offsets of {} are settled, so they wait. The next try is in a second: {}",
                    consumer,
                    partitions,
                    FailureText.line(failed));
            return false;
        }
    }

    /** Commits where partitions begin: a poll that fails goes back to the committed offsets. */
    private void commit(Consumer<?, ?> kafka, Map<TopicPartition, OffsetAndMetadata> moved) {
        if (moved.isEmpty()) {
            return;
        }
        try {
            kafka.commitSync(moved);
        } catch (RuntimeException failure) {
            if (!KafkaFailures.isPassing(failure)) {
                throw failure;
            }
            log.warn("Consumer {}: {} are not committed yet: {}", consumer, moved, FailureText.line(failure));
        }
    }

    /** Sets a partition where it begins, also if that is the committed offset: Kafka would read that once more, and it may be gone by then. */
    private void seek(Consumer<?, ?> kafka, KnownPartition known) {
        TopicPartition partition = known.partition();
        Optional<Long> start = known.start(reset);
        if (start.isEmpty() && known.committed().isEmpty() && reset.equals(NONE)) {
            lacking.add(partition);
            throw new NoOffsetForPartitionException(partition);
        }
        start.ifPresent(offset -> log.info(
                "Consumer {}: {} begins at {}, by what the store knows to be settled, with {}.",
                consumer,
                partition,
                offset,
                known.committed()
                        .map(each -> "the committed offset " + each.offset())
                        .orElse("no committed offset")));
        start.map(OffsetAndMetadata::new)
                .or(known::committed)
                .map(known::checked)
                .ifPresent(offset -> kafka.seek(partition, offset));
    }

    /**
     * Returns whether partitions have no offset, neither in Kafka nor in the store. The consumer of {@code group.protocol=consumer} looks for committed offsets on a thread of its own, and may throw
     * after a partition has begun by the store.
     */
    boolean lacks(NoOffsetForPartitionException none) {
        return none.partitions().stream().anyMatch(lacking::contains);
    }

    /** Begins a partition. Returns the offset if it is not the committed one. */
    private Optional<OffsetAndMetadata> begin(Consumer<?, ?> kafka, KnownPartition known) {
        TopicPartition partition = known.partition();
        Optional<Long> start = known.start(reset);
        // If the log was cut off in front of the offset, it is where. One request for all partitions.
        long position = kafka.position(partition);
        Optional<Long> wanted = start.or(() -> known.committed().map(OffsetAndMetadata::offset));
        if (wanted.filter(offset -> position < offset).isPresent()) {
            breaks.warnOfCut(partition, position);
            SettledRun run = known.newRun(position);
            runs.beginAtCut(run, known.stored());
            return Optional.of(KnownPartition.marked(new OffsetAndMetadata(position), run));
        }
        SettledRun run = known.runFrom(position);
        runs.begin(run, known.stored());
        return start.map(offset -> KnownPartition.marked(new OffsetAndMetadata(position), run));
    }

    /** Notes what was polled. Never throws, because that would be lost. */
    void polled(Consumer<?, ?> kafka, ConsumerRecords<?, ?> polled) {
        breaks.check(kafka, polled);
    }

    private Map<String, String> topicIds(Collection<TopicPartition> partitions) {
        try (Admin admin = admins.get()) {
            return partitions.stream()
                    .map(TopicPartition::topic)
                    .distinct()
                    .collect(toMap(
                            Function.identity(),
                            topic ->
                                    TopicLookup.describe(admin, topic).topicId().toString()));
        }
    }

    /** Notes offsets behind settled records. Returns them with the mark of their run. */
    Map<TopicPartition, OffsetAndMetadata> settled(Map<TopicPartition, OffsetAndMetadata> offsets) {
        return offsets.entrySet().stream()
                .collect(toMap(Map.Entry::getKey, each -> runs.settled(each.getKey(), each.getValue())));
    }

    /** Returns the runs of the partitions that have begun. */
    StoredRuns runs() {
        return runs;
    }

    /** Forgets partitions that are given up. */
    void drop(Collection<TopicPartition> partitions) {
        waiting.removeAll(partitions);
        lacking.removeAll(partitions);
        runs.forget(partitions);
    }

    /** Stores what is settled, once a second. */
    void storeIfDue() {
        runs.storeIfDue();
    }

    /** Stores what is settled. A failure is logged, and the next call tries again. */
    void store() {
        runs.store();
    }
}
