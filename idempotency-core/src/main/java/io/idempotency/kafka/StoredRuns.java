package io.idempotency.kafka;

import static java.util.stream.Collectors.toMap;

import io.idempotency.FailureText;
import io.idempotency.store.OffsetStore;
import io.idempotency.store.SettledRun;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps the runs of assigned partitions, and stores them once a second. Not thread-safe: used on the polling thread. */
final class StoredRuns {

    private static final Logger log = LoggerFactory.getLogger(PollLoop.class);

    static final Duration APART = Duration.ofSeconds(1);

    private final String consumer;
    private final OffsetStore store;
    private final LongSupplier nanoTime;
    private final Map<TopicPartition, SettledRun> runs = new HashMap<>();
    /** What is stored of them, as far as this process knows. */
    private final Map<TopicPartition, SettledRun> written = new HashMap<>();

    /** The leader epochs of the records from which on the log of a partition was written anew. */
    private final Map<TopicPartition, Integer> cuts = new HashMap<>();
    /** Partitions whose run begins where the log was cut off. */
    private final Set<TopicPartition> cutOff = new HashSet<>();

    private long lastNanos;
    private boolean isDoubtful;

    StoredRuns(String consumer, OffsetStore store, LongSupplier nanoTime) {
        this.consumer = consumer;
        this.store = store;
        this.nanoTime = nanoTime;
        this.lastNanos = nanoTime.getAsLong();
    }

    /** Returns what the store has. */
    Map<TopicPartition, SettledRun> stored() {
        return store.runs(consumer).stream().collect(toMap(StoredRuns::partition, Function.identity()));
    }

    private static TopicPartition partition(SettledRun run) {
        return new TopicPartition(run.stream(), run.partition());
    }

    /** Begins or continues the run of a partition. */
    void begin(SettledRun run, Optional<SettledRun> stored) {
        runs.put(partition(run), run);
        stored.ifPresent(each -> written.put(partition(run), each));
    }

    /** Begins a new run where the log was cut off. It is stored when something of it is settled: until then the stored one leads back to the cut, and the committed offset may lie behind it. */
    void beginAtCut(SettledRun run, Optional<SettledRun> stored) {
        begin(run, stored);
        cutOff.add(partition(run));
    }

    /** Notes an offset behind settled records. Returns it with the mark of its run. */
    OffsetAndMetadata settled(TopicPartition partition, OffsetAndMetadata offset) {
        SettledRun run = runs.get(partition);
        if (run == null || isCutOff(partition, offset)) {
            return offset;
        }
        runs.put(partition, run.to(Math.max(run.end(), offset.offset())));
        return KnownPartition.marked(offset, run);
    }

    /** Returns whether the record in front of the offset is no longer in the log. */
    private boolean isCutOff(TopicPartition partition, OffsetAndMetadata offset) {
        Integer cut = cuts.get(partition);
        return cut != null && offset.leaderEpoch().filter(epoch -> epoch < cut).isPresent();
    }

    /** Returns the run of a partition; empty if it has none. */
    Optional<SettledRun> run(TopicPartition partition) {
        return Optional.ofNullable(runs.get(partition));
    }

    /** Notes the leader epoch of the newest record that was polled. */
    void polled(TopicPartition partition, int leaderEpoch) {
        runs.computeIfPresent(partition, (same, run) -> run.leaderEpoch() < leaderEpoch ? run.ledIn(leaderEpoch) : run);
    }

    /** Begins a new run at the first offset at which the log has another record than before. */
    void cutAt(TopicPartition partition, long offset, int leaderEpoch) {
        cuts.put(partition, leaderEpoch);
        cutOff.add(partition);
        runs.computeIfPresent(partition, (same, run) -> run.at(offset).ledIn(leaderEpoch));
    }

    /** Begins a new run at an offset in front of which records are left out. */
    void skippedTo(TopicPartition partition, long offset) {
        SettledRun run = runs.get(partition);
        if (run != null && offset > run.end()) {
            runs.put(partition, run.at(offset));
        }
    }

    void forget(Collection<TopicPartition> partitions) {
        runs.keySet().removeAll(partitions);
        written.keySet().removeAll(partitions);
        cuts.keySet().removeAll(partitions);
        cutOff.removeAll(partitions);
    }

    /** Returns whether something is not stored yet. */
    boolean areBehind() {
        return !runs.equals(written);
    }

    /** Stores what is settled, once a second. */
    void storeIfDue() {
        if (nanoTime.getAsLong() - lastNanos >= APART.toNanos()) {
            store();
        }
    }

    /** Stores what is settled. A failure is logged, and the next call tries again. */
    void store() {
        try {
            writeChanged();
        } catch (RuntimeException failed) {
            Contained.letFatalLeave(failed);
            isDoubtful = true;
            log.warn("Consumer {}: settled offsets are not stored yet: {}", consumer, FailureText.line(failed));
        }
    }

    /** Stores what is settled, and throws what the store throws. */
    void writeChanged() {
        lastNanos = nanoTime.getAsLong();
        List<SettledRun> changed = new ArrayList<>();
        runs.forEach((partition, run) -> {
            boolean isOnlyBegun = cutOff.contains(partition) && run.begin() == run.end();
            if (!isOnlyBegun && !run.equals(written.get(partition))) {
                changed.add(run);
            }
        });
        if (changed.isEmpty()) {
            return;
        }
        if (isDoubtful) {
            beginAgain(changed);
        }
        write(changed);
    }

    private void write(List<SettledRun> changed) {
        long token = ThreadLocalRandom.current().nextLong() | 1;
        Set<SettledRun> refused = Set.copyOf(store.store(consumer, changed, token));
        for (SettledRun run : changed) {
            if (!refused.contains(run)) {
                SettledRun now = run.storedAs(token);
                runs.put(partition(run), now);
                written.put(partition(run), now);
            }
        }
        isDoubtful = !refused.isEmpty();
        if (isDoubtful) {
            log.info(
                    "Consumer {}: settled offsets of {} were stored or forgotten by somebody else. What is settled counts from here on.",
                    consumer,
                    refused.stream().map(StoredRuns::partition).collect(Collectors.toSet()));
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
                    : run.at(run.end()).ledIn(run.leaderEpoch()).storedAs(token);
            runs.put(partition(run), again);
            return again;
        });
    }
}
