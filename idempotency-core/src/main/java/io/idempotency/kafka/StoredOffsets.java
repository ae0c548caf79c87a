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
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.NoOffsetForPartitionException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
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

    private static final String NONE = "none";
    private static final String EARLIEST = "earliest";
    private static final String LATEST = "latest";

    private final String consumer;
    private final StoredRuns runs;
    private final Supplier<Admin> admins;
    private final String reset;
    private final LongSupplier nanoTime;
    /** Assigned partitions that are paused, because it is not known where they begin. */
    private final Set<TopicPartition> waiting = new HashSet<>();

    private long triedNanos;

    /** @param reset the {@code auto.offset.reset} of the consumer */
    StoredOffsets(String consumer, OffsetStore store, Supplier<Admin> admins, String reset, LongSupplier nanoTime) {
        this.consumer = consumer;
        this.runs = new StoredRuns(consumer, store, nanoTime);
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
     * @throws NoOffsetForPartitionException if {@code auto.offset.reset} is {@code none} and neither Kafka nor the store has an offset
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
            Map<TopicPartition, OffsetAndMetadata> moved = new HashMap<>();
            for (TopicPartition partition : partitions) {
                KnownPartition known = new KnownPartition(
                        partition,
                        topicIds.getOrDefault(partition.topic(), ""),
                        Optional.ofNullable(stored.get(partition)),
                        Optional.ofNullable(committed.get(partition)),
                        firsts.getOrDefault(partition, 0L),
                        ends.getOrDefault(partition, 0L));
                begin(kafka, known).ifPresent(offset -> moved.put(partition, offset));
            }
            commit(kafka, moved);
            // Before anything is settled: whoever forgets messages deletes the row, and finds none otherwise.
            runs.writeChanged();
            return true;
        } catch (NoOffsetForPartitionException | WakeupException | InterruptException leaves) {
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

    /** Begins a partition. Returns the offset if it is not the committed one. */
    private Optional<OffsetAndMetadata> begin(Consumer<?, ?> kafka, KnownPartition known) {
        TopicPartition partition = known.partition();
        Optional<Long> start = known.start(reset);
        if (start.isEmpty() && known.committed().isEmpty() && reset.equals(NONE)) {
            throw new NoOffsetForPartitionException(partition);
        }
        start.ifPresent(offset -> {
            kafka.seek(partition, offset);
            log.info(
                    "Consumer {}: {} begins at {}, by what the store knows to be settled, with {}.",
                    consumer,
                    partition,
                    offset,
                    known.committed()
                            .map(each -> "the committed offset " + each.offset())
                            .orElse("no committed offset"));
        });
        if (start.isEmpty() && waiting.contains(partition)) {
            // While it waited, it may have been set to some other position.
            known.committed().ifPresent(offset -> kafka.seek(partition, offset));
        }
        SettledRun run = known.runFrom(start.orElseGet(() -> kafka.position(partition)));
        runs.begin(run, known.stored());
        return start.map(offset -> KnownPartition.marked(new OffsetAndMetadata(offset), run));
    }

    /**
     * Notes what was polled. If the broker has deleted the next record of a partition, Kafka goes on where {@code auto.offset.reset} says, which may be behind records that nobody has handled. Then
     * a new run begins there. Never throws, because what was polled would be lost. One round trip if the first record of a partition is not right behind the settled ones, and none under {@code
     * earliest} and {@code none}.
     */
    void polled(Consumer<?, ?> kafka, ConsumerRecords<?, ?> polled) {
        if (reset.equals(EARLIEST) || reset.equals(NONE)) {
            return;
        }
        Map<TopicPartition, Long> ahead = new HashMap<>();
        polled.nextOffsets().forEach((partition, next) -> {
            List<? extends ConsumerRecord<?, ?>> records = polled.records(partition);
            // Kafka may have gone to the end, where there are none yet.
            long first = records.isEmpty() ? next.offset() : records.get(0).offset();
            if (runs.end(partition).filter(end -> first > end).isPresent()) {
                ahead.put(partition, first);
            }
        });
        if (!ahead.isEmpty()) {
            Map<TopicPartition, Long> firsts = firstRecords(kafka, ahead.keySet());
            ahead.forEach((partition, first) -> checkGap(partition, first, firsts.get(partition)));
        }
    }

    /** @param there the first record of the log; null if that is not known */
    private void checkGap(TopicPartition partition, long first, @Nullable Long there) {
        long end = runs.end(partition).orElse(first);
        if (there != null && (there <= end || there == first)) {
            return;
        }
        runs.skippedTo(partition, first);
        log.warn(
                "Consumer {}: Kafka goes on at {} of {}, by auto.offset.reset={}. All in front of {} was settled, {}. If records in between are to be handled, set the offset of the group back.",
                consumer,
                first,
                partition,
                reset,
                end,
                there == null
                        ? "and Kafka does not tell which later ones are deleted"
                        : "and records in front of " + there + " are deleted");
    }

    /** Returns nothing if Kafka does not answer. */
    private static Map<TopicPartition, Long> firstRecords(Consumer<?, ?> kafka, Set<TopicPartition> partitions) {
        try {
            return kafka.beginningOffsets(partitions);
        } catch (WakeupException wakeup) {
            kafka.wakeup();
            return Map.of();
        } catch (RuntimeException away) {
            // An interrupt stays set.
            return Map.of();
        }
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
