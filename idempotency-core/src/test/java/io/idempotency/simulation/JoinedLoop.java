package io.idempotency.simulation;

import io.idempotency.BatchResult;
import io.idempotency.IdempotentConsumer;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;

/**
 * An application with a poll loop and transactions of its own: it begins one around a few messages, lets the consumer join it, commits, and commits the
 * offsets after that. It decides on failures itself: a message that fails alone twice is quarantined.
 */
final class JoinedLoop implements Runnable, ConsumerRebalanceListener {

    private final Simulation simulation;
    private final Consumer<String, String> kafka;
    private final IdempotentConsumer<ConsumerRecord<String, String>> consumer;
    private final SimulatedHandler handler;
    private final Map<TopicPartition, OffsetAndMetadata> settled = new HashMap<>();
    private final Map<String, Integer> attempts = new HashMap<>();
    /** Partitions whose messages come alone, because some failed together. */
    private final Set<TopicPartition> troubled = new HashSet<>();

    private boolean isClosing;

    /** The caller has changed its mind. */
    private static final class RolledBack extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    JoinedLoop(
            Simulation simulation,
            Consumer<String, String> kafka,
            IdempotentConsumer<ConsumerRecord<String, String>> consumer,
            SimulatedHandler handler) {
        this.simulation = simulation;
        this.kafka = kafka;
        this.consumer = consumer;
        this.handler = handler;
    }

    @Override
    public void run() {
        kafka.subscribe(List.of(SimulatedLog.TOPIC), this);
        while (!isClosing) {
            try {
                once();
            } catch (WakeupException wakeup) {
                isClosing = true;
            }
        }
        commit();
        kafka.close();
    }

    void close() {
        isClosing = true;
        kafka.wakeup();
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {}

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        commit();
        onPartitionsLost(partitions);
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
        settled.keySet().removeAll(partitions);
        partitions.forEach(partition -> consumer.revoked(partition.topic(), partition.partition()));
    }

    private void once() {
        ConsumerRecords<String, String> polled;
        try {
            polled = kafka.poll(Member.POLL);
        } catch (RecordDeserializationException e) {
            reject(e);
            return;
        } catch (RetriableException e) {
            simulation.sleep(Simulation.LEASE.toNanos());
            return;
        } catch (IllegalStateException e) {
            // Records of other partitions may be gone with it.
            rewind();
            return;
        }
        // Markers are passed also where no record came.
        polled.nextOffsets().forEach((partition, next) -> {
            if (polled.records(partition).isEmpty()) {
                settled.put(partition, next);
            }
        });
        for (TopicPartition partition : polled.partitions()) {
            if (consume(partition, polled.records(partition))) {
                settled.put(partition, polled.nextOffsets().get(partition));
            }
        }
        commit();
    }

    private void rewind() {
        for (TopicPartition partition : kafka.assignment()) {
            OffsetAndMetadata behind = settled.get(partition);
            try {
                OffsetAndMetadata committed = kafka.committed(Set.of(partition)).get(partition);
                long offset = committed == null ? 0 : committed.offset();
                seek(partition, behind == null ? offset : Math.max(offset, behind.offset()));
            } catch (RetriableException e) {
                seek(partition, behind == null ? 0 : behind.offset());
            }
        }
    }

    private void commit() {
        settled.keySet().retainAll(kafka.assignment());
        try {
            if (!settled.isEmpty()) {
                kafka.commitSync(Map.copyOf(settled));
                settled.clear();
            }
        } catch (WakeupException e) {
            isClosing = true;
            commit();
        } catch (RuntimeException e) {
            simulation.note("the offsets are not committed: " + e.getMessage());
        }
    }

    private void seek(TopicPartition partition, long offset) {
        try {
            kafka.seek(partition, new OffsetAndMetadata(offset));
        } catch (IllegalStateException e) {
            simulation.note("lost meanwhile: " + partition);
        }
    }

    /** Returns whether all records are settled. */
    private boolean consume(TopicPartition partition, List<ConsumerRecord<String, String>> records) {
        int next = 0;
        while (next < records.size()) {
            int most =
                    troubled.contains(partition) ? 1 : 1 + simulation.choices().below(3);
            List<ConsumerRecord<String, String>> some = records.subList(next, Math.min(records.size(), next + most));
            RuntimeException failure = transact(some);
            if (failure != null && (some.size() > 1 || !isQuarantined(some.get(0), failure))) {
                troubled.add(partition);
                leave(partition, some.get(0).offset());
                return false;
            }
            troubled.remove(partition);
            next += some.size();
            settled.put(
                    partition, new OffsetAndMetadata(some.get(some.size() - 1).offset() + 1));
        }
        return true;
    }

    private void leave(TopicPartition partition, long offset) {
        seek(partition, offset);
        simulation.sleep(
                Duration.ofMillis(100L * (1 + simulation.choices().below(5))).toNanos());
    }

    /** Returns what failed. */
    private @Nullable RuntimeException transact(List<ConsumerRecord<String, String>> some) {
        List<Boolean> committed = new ArrayList<>();
        try {
            simulation.store().transactions().inTransaction(() -> {
                simulation.store().transactions().afterCommit(() -> committed.add(true));
                if (simulation.happens(Fault.FORGET)) {
                    simulation.visit(Branch.FORGOTTEN_AND_CONSUMED);
                    forget(some.get(0).key());
                }
                consume(some);
                if (simulation.happens(Fault.CALLER_FAILS)) {
                    simulation.visit(Branch.CALLER_ROLLED_BACK);
                    simulation.note("rolls its transaction back");
                    throw new RolledBack();
                }
            });
        } catch (RuntimeException e) {
            return e;
        }
        return committed.isEmpty() ? new TransientStoreException("It was not committed") : null;
    }

    /** A quarantined message is refused, and stays. */
    private void forget(String id) {
        try {
            consumer.forget(id);
        } catch (TransientStoreException e) {
            throw e;
        } catch (IdempotencyException e) {
            simulation.note(id + " is in quarantine, and is not forgotten");
        }
    }

    private void consume(List<ConsumerRecord<String, String>> some) {
        try {
            if (simulation.choices().below(2) == 0) {
                consumer.consumeAll(some, handler::handle);
            } else {
                some.forEach(record -> consumer.consume(record, handler::handle));
            }
        } catch (IllegalStateException | TransientStoreException e) {
            // Somebody who swallows a failure gets no commit.
            if (!simulation.happens(Fault.CALLER_FAILS)) {
                throw e;
            }
            simulation.note("swallows a failure");
        }
    }

    private boolean isQuarantined(ConsumerRecord<String, String> record, RuntimeException failure) {
        if (!(failure instanceof IllegalStateException)
                || !String.valueOf(failure.getMessage()).startsWith("The handler failed")
                || attempts.merge(record.key(), 1, Integer::sum) < Simulation.ATTEMPTS) {
            return false;
        }
        simulation.visit(Branch.CALLER_QUARANTINED);
        return consumer.quarantine(record, failure).isSettled();
    }

    private void reject(RecordDeserializationException failure) {
        TopicPartition partition = failure.topicPartition();
        BatchResult result = consumer.reject(
                new Position(partition.topic(), partition.partition(), failure.offset()),
                Optional.of(simulation.idAt(partition, failure.offset())),
                Payload.none(Payload.Origin.POSITION_ONLY),
                failure);
        if (result.isSettled()) {
            seek(partition, failure.offset() + 1);
            settled.put(partition, new OffsetAndMetadata(failure.offset() + 1));
            commit();
        } else {
            simulation.sleep(result.stops().get(0).retryAfter().toNanos());
        }
    }
}
