package io.idempotency.kafka;

import static java.util.stream.Collectors.toMap;

import io.idempotency.FailureText;
import io.idempotency.store.OffsetStore;
import io.idempotency.store.SettledRun;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
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

    /** The text in front of the begin of the run. Kafka keeps it beside the committed offset. */
    static final String MARK = "settled from ";

    private static final Duration APART = Duration.ofSeconds(1);

    private final String consumer;
    private final OffsetStore store;
    private final Supplier<Admin> admins;
    private final boolean isEarliest;
    private final LongSupplier nanoTime;
    private final Map<TopicPartition, SettledRun> runs = new HashMap<>();
    /** What is stored of them, as far as this process knows. */
    private final Map<TopicPartition, SettledRun> written = new HashMap<>();

    private long lastNanos;
    private boolean isDoubtful;

    /** @param isEarliest whether a group without a committed offset is to read from the first record on */
    StoredOffsets(
            String consumer, OffsetStore store, Supplier<Admin> admins, boolean isEarliest, LongSupplier nanoTime) {
        this.consumer = consumer;
        this.store = store;
        this.admins = admins;
        this.isEarliest = isEarliest;
        this.nanoTime = nanoTime;
        this.lastNanos = nanoTime.getAsLong();
    }

    static boolean isEarliest(Map<String, Object> properties) {
        return String.valueOf(properties.get(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG))
                .toLowerCase(Locale.ROOT)
                .equals("earliest");
    }

    /** Moves partitions ahead that were just assigned. One look-up in Kafka for their topics, one in the store. */
    void assigned(Consumer<?, ?> kafka, Collection<TopicPartition> partitions) {
        if (partitions.isEmpty()) {
            return;
        }
        drop(partitions);
        try {
            Map<String, String> topicIds = topicIds(partitions);
            Map<TopicPartition, SettledRun> stored = stored();
            Set<TopicPartition> all = Set.copyOf(partitions);
            Map<TopicPartition, OffsetAndMetadata> committed = kafka.committed(all);
            Map<TopicPartition, Long> firsts = kafka.beginningOffsets(all);
            Map<TopicPartition, Long> ends = kafka.endOffsets(all);
            Map<TopicPartition, OffsetAndMetadata> moved = new HashMap<>();
            for (TopicPartition partition : all) {
                Known known = new Known(
                        partition,
                        topicIds.getOrDefault(partition.topic(), ""),
                        Optional.ofNullable(stored.get(partition)),
                        Optional.ofNullable(committed.get(partition)),
                        firsts.getOrDefault(partition, 0L),
                        ends.getOrDefault(partition, 0L));
                begin(kafka, known).ifPresent(offset -> moved.put(partition, offset));
            }
            commit(kafka, moved);
        } catch (RuntimeException failed) {
            Contained.letFatalLeave(failed);
            drop(partitions);
            log.warn(
                    "Consumer {}: settled offsets of {} are not known, so they begin at their committed offsets, and are not stored before the next rebalance: {}",
                    consumer,
                    partitions,
                    FailureText.line(failed));
        }
    }

    /** What is known of a partition when it is assigned. */
    private record Known(
            TopicPartition partition,
            String topicId,
            Optional<SettledRun> stored,
            Optional<OffsetAndMetadata> committed,
            long first,
            long end) {

        /** Returns the stored run of this topic, up to what is committed of it. */
        Optional<SettledRun> run() {
            return stored.filter(run -> run.topicId().equals(topicId) && run.end() <= end)
                    .map(run -> committed
                            .filter(offset -> offset.metadata().equals(MARK + run.begin()))
                            .filter(offset -> offset.offset() > run.end())
                            .map(offset -> to(run, offset.offset()))
                            .orElse(run));
        }

        /** Returns where the partition begins, if that is behind settled offsets. */
        Optional<Long> ahead(boolean isEarliest) {
            return run().filter(run -> committed
                            .map(offset -> offset.offset() >= run.begin() && offset.offset() < run.end())
                            .orElse(!isEarliest || first >= run.begin()))
                    .map(run -> Math.max(run.end(), first));
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

    /** Begins a partition. Returns the offset if it is moved ahead. */
    private Optional<OffsetAndMetadata> begin(Consumer<?, ?> kafka, Known known) {
        TopicPartition partition = known.partition();
        Optional<Long> ahead = known.ahead(isEarliest);
        ahead.ifPresent(offset -> {
            kafka.seek(partition, offset);
            log.info(
                    "Consumer {}: {} begins at {}, behind what is settled, with {}.",
                    consumer,
                    partition,
                    offset,
                    known.committed()
                            .map(each -> "the committed offset " + each.offset())
                            .orElse("no committed offset"));
        });
        long position = ahead.orElseGet(() -> kafka.position(partition));
        long token = known.stored().map(SettledRun::token).orElse(0L);
        SettledRun run = known.run()
                .filter(each -> position >= each.begin() && position <= Math.max(each.end(), known.first()))
                .map(each -> to(each, Math.max(each.end(), position)))
                .orElseGet(() -> new SettledRun(
                        partition.topic(), partition.partition(), known.topicId(), position, position, token));
        runs.put(partition, run);
        known.stored().ifPresent(each -> written.put(partition, each));
        return ahead.map(offset -> new OffsetAndMetadata(offset, Optional.empty(), MARK + run.begin()));
    }

    private static SettledRun to(SettledRun run, long end) {
        return new SettledRun(run.stream(), run.partition(), run.topicId(), run.begin(), end, run.token());
    }

    private Map<TopicPartition, SettledRun> stored() {
        return store.runs(consumer).stream().collect(toMap(StoredOffsets::partition, Function.identity()));
    }

    private static TopicPartition partition(SettledRun run) {
        return new TopicPartition(run.stream(), run.partition());
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
                .collect(toMap(Map.Entry::getKey, each -> settled(each.getKey(), each.getValue())));
    }

    private OffsetAndMetadata settled(TopicPartition partition, OffsetAndMetadata offset) {
        SettledRun run = runs.get(partition);
        if (run == null) {
            return offset;
        }
        runs.put(partition, to(run, Math.max(run.end(), offset.offset())));
        return new OffsetAndMetadata(offset.offset(), offset.leaderEpoch(), MARK + run.begin());
    }

    /** Forgets partitions that are given up. */
    void drop(Collection<TopicPartition> partitions) {
        runs.keySet().removeAll(partitions);
        written.keySet().removeAll(partitions);
    }

    /** Stores what is settled, once a second. */
    void storeIfDue() {
        if (nanoTime.getAsLong() - lastNanos >= APART.toNanos()) {
            store();
        }
    }

    /** Stores what is settled. A failure is logged, and the next call tries again. */
    void store() {
        lastNanos = nanoTime.getAsLong();
        List<SettledRun> changed = new ArrayList<>();
        runs.forEach((partition, run) -> {
            SettledRun before = written.get(partition);
            if (before == null || !run.equals(before)) {
                changed.add(run);
            }
        });
        if (changed.isEmpty()) {
            return;
        }
        try {
            if (isDoubtful) {
                beginAgain(changed);
            }
            write(changed);
        } catch (RuntimeException failed) {
            Contained.letFatalLeave(failed);
            isDoubtful = true;
            log.warn("Consumer {}: settled offsets are not stored yet: {}", consumer, FailureText.line(failed));
        }
    }

    private void write(List<SettledRun> changed) {
        long token = ThreadLocalRandom.current().nextLong() | 1;
        Set<SettledRun> refused = Set.copyOf(store.store(consumer, changed, token));
        for (SettledRun run : changed) {
            if (!refused.contains(run)) {
                SettledRun now =
                        new SettledRun(run.stream(), run.partition(), run.topicId(), run.begin(), run.end(), token);
                runs.put(partition(run), now);
                written.put(partition(run), now);
            }
        }
        isDoubtful = !refused.isEmpty();
        if (isDoubtful) {
            log.info(
                    "Consumer {}: settled offsets of {} were stored or forgotten by somebody else. What is settled counts from here on.",
                    consumer,
                    refused.stream().map(StoredOffsets::partition).collect(Collectors.toSet()));
        }
    }

    /** Begins new runs where the stored ones are not those that this process has written: messages in front of here may have been forgotten. */
    private void beginAgain(List<SettledRun> changed) {
        Map<TopicPartition, SettledRun> stored = stored();
        changed.replaceAll(run -> {
            SettledRun there = stored.get(partition(run));
            long token = there == null ? 0 : there.token();
            SettledRun again = token == run.token()
                    ? run
                    : new SettledRun(run.stream(), run.partition(), run.topicId(), run.end(), run.end(), token);
            runs.put(partition(run), again);
            return again;
        });
    }
}
