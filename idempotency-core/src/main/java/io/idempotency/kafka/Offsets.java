package io.idempotency.kafka;

import io.idempotency.FailureText;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedMemberEpochException;
import org.apache.kafka.common.errors.IllegalGenerationException;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.StaleMemberEpochException;
import org.apache.kafka.common.errors.UnknownMemberIdException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The offsets in Kafka: commits those of settled records, and remembers what could not be committed until the next time. A commit is not waited
 * for, since what it would have spared is skipped when it comes again; but for {@value #MOST_UNDER_WAY} others, and for {@link #commitNow}. Not
 * thread-safe: Kafka tells of a commit on the thread that polls.
 */
final class Offsets {

    private static final Logger log = LoggerFactory.getLogger(Offsets.class);

    /** How many commits may be without an answer: that of one in front is often read only with the next. */
    static final int MOST_UNDER_WAY = 4;

    /** Partitions that certainly have a committed offset. */
    private final Set<TopicPartition> known = new HashSet<>();

    /** Behind what is settled, and not known to be committed. */
    private final Map<TopicPartition, OffsetAndMetadata> uncommitted = new HashMap<>();

    /** Those of them that Kafka has not answered yet. */
    private final Map<TopicPartition, OffsetAndMetadata> sent = new HashMap<>();

    /** Where partitions begin whose first offset was not committed when they were assigned. */
    private final Map<TopicPartition, OffsetAndMetadata> begins = new HashMap<>();

    private int underWay;
    private @Nullable RuntimeException fatal;

    /** Forgets the partitions that are no longer assigned. */
    void retain(Set<TopicPartition> assigned) {
        known.retainAll(assigned);
        uncommitted.keySet().retainAll(assigned);
        sent.keySet().retainAll(assigned);
        begins.keySet().retainAll(assigned);
    }

    /**
     * Commits the first offset of every partition that has no committed one: a crash before its first commit would otherwise begin at
     * {@code auto.offset.reset}, which may be behind it. One look-up for all partitions seen for the first time.
     *
     * @return the partitions that must not be handled now, because that could not be found out or done
     */
    Set<TopicPartition> begin(Consumer<?, ?> consumer, Map<TopicPartition, OffsetAndMetadata> firsts) {
        firsts.forEach(this::dropIfRedelivered);
        Set<TopicPartition> fresh = new HashSet<>(firsts.keySet());
        fresh.removeAll(known);
        if (fresh.isEmpty()) {
            return fresh;
        }
        return commitWhereMissing(consumer, fresh, firsts::get) ? Set.of() : fresh;
    }

    /** Does the same for partitions that were just assigned, before their first record is there. */
    void beginAtPosition(Consumer<?, ?> consumer, Collection<TopicPartition> assigned) {
        if (!assigned.isEmpty()
                && !commitWhereMissing(
                        consumer,
                        Set.copyOf(assigned),
                        partition -> new OffsetAndMetadata(consumer.position(partition)))) {
            assigned.forEach(partition -> noteBegin(consumer, partition));
            log.info("It is tried again when the first record of {} is there.", assigned);
        }
    }

    /** A poll that fails may go on behind records that nobody has seen: {@link #next} has to know where they begin. */
    private void noteBegin(Consumer<?, ?> consumer, TopicPartition partition) {
        try {
            begins.put(partition, new OffsetAndMetadata(consumer.position(partition, Duration.ZERO)));
        } catch (RetriableException | IllegalStateException notKnown) {
            log.debug("The position of {} is not known yet: {}", partition, FailureText.line(notKnown));
        }
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
            if (!isWorthAnotherTry(failure)) {
                throw failure;
            }
            log.warn("The committed offsets of {} are not known yet: {}", fresh, FailureText.line(failure));
            return false;
        }
    }

    /** Somebody else may own what was settled before the partition went back; the redelivery brings it again. */
    private void dropIfRedelivered(TopicPartition partition, OffsetAndMetadata first) {
        OffsetAndMetadata left = uncommitted.get(partition);
        if (left != null && first.offset() < left.offset()) {
            uncommitted.remove(partition);
            sent.remove(partition);
        }
    }

    /**
     * Sends the offsets given and those left over from before; what fails for now is logged and left for the next time.
     *
     * @throws RuntimeException if this commit, or one that was under way, failed for good
     */
    void commit(Consumer<?, ?> consumer, Map<TopicPartition, OffsetAndMetadata> settled) {
        uncommitted.putAll(settled);
        if (underWay >= MOST_UNDER_WAY) {
            commitNow(consumer, settled.keySet());
        } else {
            throwFatal();
            tryTo(() -> send(consumer, settled.keySet()));
        }
    }

    /** Commits all that is not known to be committed, and waits for it. What fails for now is logged and left for the next time. */
    void commitNow(Consumer<?, ?> consumer) {
        commitNow(consumer, Set.of());
    }

    private void commitNow(Consumer<?, ?> consumer, Set<TopicPartition> settled) {
        throwFatal();
        tryTo(() -> {
            dropOvertaken(consumer, settled);
            commitThroughWakeup(consumer, Map.copyOf(uncommitted));
        });
        throwFatal();
    }

    private void send(Consumer<?, ?> consumer, Set<TopicPartition> settled) {
        dropOvertaken(consumer, settled);
        Map<TopicPartition, OffsetAndMetadata> due = new HashMap<>(uncommitted);
        due.entrySet().removeAll(sent.entrySet());
        if (due.isEmpty()) {
            return;
        }
        sent.putAll(due);
        try {
            // Of a commit that failed, the KIP-848 consumer does not tell the offsets.
            consumer.commitAsync(due, (offsets, failure) -> answered(due, failure));
            underWay++;
        } catch (RuntimeException failure) {
            sent.entrySet().removeAll(due.entrySet());
            throw failure;
        }
        throwFatal();
    }

    private void tryTo(Runnable commit) {
        try {
            commit.run();
        } catch (RuntimeException failure) {
            requireAnotherTry(failure);
        }
    }

    private void requireAnotherTry(RuntimeException failure) {
        if (!isWorthAnotherTry(failure)) {
            throw failure;
        }
        log.warn(
                "The offsets {} are not committed yet; redelivered records will be skipped: {}",
                uncommitted,
                FailureText.line(failure));
    }

    /** Called by Kafka, within a later poll or commit: what is thrown here would leave from there. */
    private void answered(Map<TopicPartition, OffsetAndMetadata> due, @Nullable Exception failure) {
        underWay--;
        sent.entrySet().removeAll(due.entrySet());
        if (failure == null) {
            committed(due);
            return;
        }
        try {
            requireAnotherTry(failure instanceof RuntimeException known ? known : new KafkaException(failure));
        } catch (RuntimeException forGood) {
            fatal = forGood;
        }
    }

    private void throwFatal() {
        RuntimeException failure = fatal;
        if (failure != null) {
            fatal = null;
            throw failure;
        }
    }

    /** After a rebalance another consumer may have been further; an offset is never set back. */
    private void dropOvertaken(Consumer<?, ?> consumer, Set<TopicPartition> settled) {
        Set<TopicPartition> leftOver = new HashSet<>(uncommitted.keySet());
        leftOver.removeAll(settled);
        leftOver.removeAll(sent.keySet());
        if (leftOver.isEmpty()) {
            return;
        }
        consumer.committed(leftOver).forEach((partition, committed) -> {
            OffsetAndMetadata mine = uncommitted.get(partition);
            if (committed != null && mine != null && committed.offset() >= mine.offset()) {
                uncommitted.remove(partition);
            }
        });
    }

    /** A wakeup that hits the commit ends the caller's loop, so it is the last chance for these offsets. */
    private void commitThroughWakeup(Consumer<?, ?> consumer, Map<TopicPartition, OffsetAndMetadata> due) {
        if (due.isEmpty()) {
            return;
        }
        try {
            consumer.commitSync(due);
            committed(due);
        } catch (WakeupException wakeup) {
            try {
                consumer.commitSync(due);
                committed(due);
            } catch (RuntimeException second) {
                wakeup.addSuppressed(second);
            }
            throw wakeup;
        }
    }

    private void committed(Map<TopicPartition, OffsetAndMetadata> done) {
        uncommitted.entrySet().removeAll(done.entrySet());
        known.addAll(done.keySet());
    }

    /** Returns where to go on in the partitions given: behind everything that is settled, or where they began. Empty where nothing is known. */
    Map<TopicPartition, OffsetAndMetadata> next(Consumer<?, ?> consumer, Set<TopicPartition> partitions) {
        Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>(begins);
        next.keySet().retainAll(partitions);
        consumer.committed(partitions).forEach((partition, committed) -> {
            if (committed != null) {
                next.put(partition, committed);
            }
        });
        uncommitted.forEach((partition, settled) -> {
            if (partitions.contains(partition)) {
                next.merge(partition, settled, (one, other) -> one.offset() > other.offset() ? one : other);
            }
        });
        return next;
    }

    /** Returns an offset with the leader epoch of what is settled in front of it: a record that cannot be read tells none. */
    OffsetAndMetadata behind(Consumer<?, ?> consumer, TopicPartition partition, long offset) {
        OffsetAndMetadata before = next(consumer, Set.of(partition)).get(partition);
        return new OffsetAndMetadata(offset, before == null ? Optional.empty() : before.leaderEpoch(), "");
    }

    private static boolean isWorthAnotherTry(RuntimeException failure) {
        return failure instanceof RetriableException
                || failure instanceof CommitFailedException
                || failure instanceof RebalanceInProgressException
                || failure instanceof StaleMemberEpochException
                || failure instanceof FencedMemberEpochException
                || failure instanceof UnknownMemberIdException
                || failure instanceof IllegalGenerationException;
    }
}
