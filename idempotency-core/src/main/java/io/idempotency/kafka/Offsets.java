package io.idempotency.kafka;

import io.idempotency.FailureText;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Commits the offsets of settled records. Commits are asynchronous: a lost one only causes redeliveries, which are skipped. At most
 * {@value #MOST_UNDER_WAY} are in flight; {@link #commitNow} waits. An offset that could not be committed goes with the next commit. Not
 * thread-safe: Kafka answers a commit on the thread that polls.
 */
final class Offsets {

    private static final Logger log = LoggerFactory.getLogger(Offsets.class);

    /** How many commits may be in flight: the answer to one is often read only with the next. */
    static final int MOST_UNDER_WAY = 4;

    private final InitialOffsets initial;

    /** The offsets behind settled records that are not known to be committed. */
    private final Map<TopicPartition, OffsetAndMetadata> uncommitted = new HashMap<>();

    /** The offsets in commits that Kafka has not answered yet. */
    private final Map<TopicPartition, OffsetAndMetadata> sent = new HashMap<>();

    private int underWay;
    private @Nullable RuntimeException fatal;

    Offsets(InitialOffsets initial) {
        this.initial = initial;
    }

    /** Forgets the partitions that are no longer assigned. */
    void retain(Set<TopicPartition> assigned) {
        initial.retain(assigned);
        uncommitted.keySet().retainAll(assigned);
        sent.keySet().retainAll(assigned);
    }

    /**
     * Begins with records at these offsets: commits them where a partition has no committed offset.
     *
     * @return the partitions that must not be handled now, because it is not known whether they have a committed offset
     */
    Set<TopicPartition> begin(Consumer<?, ?> consumer, Map<TopicPartition, OffsetAndMetadata> firsts) {
        firsts.forEach(this::dropIfRedelivered);
        return initial.commit(consumer, firsts);
    }

    /** Drops the offset of a partition that went back. Another consumer may have owned it since; the redelivery settles it again. */
    private void dropIfRedelivered(TopicPartition partition, OffsetAndMetadata first) {
        OffsetAndMetadata left = uncommitted.get(partition);
        if (left != null && first.offset() < left.offset()) {
            uncommitted.remove(partition);
            sent.remove(partition);
        }
    }

    /**
     * Commits these offsets and those left over from earlier calls, without waiting. A commit that fails for now is logged and goes with the next.
     *
     * @throws RuntimeException if this commit, or one in flight, failed for good
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

    /** Commits all offsets that are not known to be committed, and waits. A commit that fails for now is logged and goes with the next. */
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
        if (!KafkaFailures.isPassing(failure)) {
            throw failure;
        }
        log.warn(
                "The offsets {} are not committed yet; redelivered records will be skipped: {}",
                uncommitted,
                FailureText.line(failure));
    }

    /** Takes the answer of Kafka, within a later poll or commit: an exception here would leave from there. */
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

    /** Drops left-over offsets behind the committed ones: after a rebalance another consumer may have been further. No offset is ever set back. */
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

    /** Commits again after a wakeup, which ends the caller's loop: it is the last chance for these offsets. */
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
        initial.committed(done.keySet());
    }

    /**
     * Returns where to go on in each of these partitions: behind everything that is settled, or where it began. Partitions of which nothing is known
     * are left out.
     */
    Map<TopicPartition, OffsetAndMetadata> next(Consumer<?, ?> consumer, Set<TopicPartition> partitions) {
        Map<TopicPartition, OffsetAndMetadata> next = initial.begins(partitions);
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

    /** Returns an offset with the leader epoch of the settled record in front of it, because a record that cannot be read does not tell its own. */
    OffsetAndMetadata behind(Consumer<?, ?> consumer, TopicPartition partition, long offset) {
        OffsetAndMetadata before = next(consumer, Set.of(partition)).get(partition);
        return new OffsetAndMetadata(offset, before == null ? Optional.empty() : before.leaderEpoch(), "");
    }
}
