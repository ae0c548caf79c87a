package io.idempotency.kafka;

import io.idempotency.FailureText;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Commits a first offset where a partition has none. A crash before the first commit would otherwise begin at {@code auto.offset.reset},
 * which may skip records. Not thread-safe.
 */
final class InitialOffsets {

    private static final Logger log = LoggerFactory.getLogger(Offsets.class);

    /** The partitions that certainly have a committed offset. */
    private final Set<TopicPartition> known = new HashSet<>();

    /** Where partitions begin whose first offset was not committed when they were assigned. */
    private final Map<TopicPartition, OffsetAndMetadata> begins = new HashMap<>();

    /** Forgets the partitions that are no longer assigned. */
    void retain(Set<TopicPartition> assigned) {
        known.retainAll(assigned);
        begins.keySet().retainAll(assigned);
    }

    /** Notes partitions whose offsets were committed. */
    void committed(Set<TopicPartition> partitions) {
        known.addAll(partitions);
    }

    /**
     * Commits these offsets where a partition has no committed one. One look-up for all partitions seen for the first time.
     *
     * @return the partitions of which it is not known whether they have a committed offset
     */
    Set<TopicPartition> commit(Consumer<?, ?> consumer, Map<TopicPartition, OffsetAndMetadata> firsts) {
        Set<TopicPartition> fresh = new HashSet<>(firsts.keySet());
        fresh.removeAll(known);
        if (fresh.isEmpty()) {
            return fresh;
        }
        return commitWhereMissing(consumer, fresh, firsts::get) ? Set.of() : fresh;
    }

    /** Commits the positions of partitions that were just assigned, before their first record arrives. */
    void commitPositions(Consumer<?, ?> consumer, Collection<TopicPartition> assigned) {
        if (!assigned.isEmpty()
                && !commitWhereMissing(
                        consumer,
                        Set.copyOf(assigned),
                        partition -> new OffsetAndMetadata(consumer.position(partition)))) {
            assigned.forEach(partition -> noteBegin(consumer, partition));
            log.info("The next try for {} is with their first record.", assigned);
        }
    }

    /** Notes where a partition begins: a poll that fails may go on behind records that nobody has seen. */
    private void noteBegin(Consumer<?, ?> consumer, TopicPartition partition) {
        try {
            begins.put(partition, new OffsetAndMetadata(consumer.position(partition, Duration.ZERO)));
        } catch (RetriableException | IllegalStateException notKnown) {
            log.debug("The position of {} is not known yet: {}", partition, FailureText.line(notKnown));
        }
    }

    /** Returns where these partitions begin, if that was noted. */
    Map<TopicPartition, OffsetAndMetadata> begins(Set<TopicPartition> partitions) {
        Map<TopicPartition, OffsetAndMetadata> noted = new HashMap<>(begins);
        noted.keySet().retainAll(partitions);
        return noted;
    }

    private boolean commitWhereMissing(
            Consumer<?, ?> consumer,
            Set<TopicPartition> fresh,
            Function<TopicPartition, @Nullable OffsetAndMetadata> offset) {
        try {
            Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(fresh);
            Map<TopicPartition, OffsetAndMetadata> missing = new HashMap<>();
            for (TopicPartition partition : fresh) {
                if (committed.get(partition) == null) {
                    missing.put(partition, Objects.requireNonNull(offset.apply(partition)));
                }
            }
            if (!missing.isEmpty()) {
                consumer.commitSync(missing);
            }
            known.addAll(fresh);
            return true;
        } catch (RuntimeException failure) {
            if (!KafkaFailures.isPassing(failure)) {
                throw failure;
            }
            log.warn("The committed offsets of {} are not known yet: {}", fresh, FailureText.line(failure));
            return false;
        }
    }
}
