package io.idempotency.simulation;

import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.clients.consumer.RetriableCommitFailedException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;

/** How one client commits and looks up offsets. Answers of asynchronous commits come with a later call. */
final class OffsetClient {

    private final Simulation simulation;
    private final SimulatedConsumer consumer;
    private final Deque<Runnable> answers = new ArrayDeque<>();
    private boolean isWoken;

    OffsetClient(Simulation simulation, SimulatedConsumer consumer) {
        this.simulation = simulation;
        this.consumer = consumer;
    }

    private SimulatedGroup group() {
        return simulation.group();
    }

    /** Lets the call that runs, or the next one, fail. May be called by another process. */
    void wakeup() {
        isWoken = true;
    }

    boolean isWoken() {
        return isWoken;
    }

    void throwIfWoken() {
        if (isWoken) {
            isWoken = false;
            simulation.visit(Branch.WOKEN);
            throw new WakeupException();
        }
    }

    Map<TopicPartition, OffsetAndMetadata> committed(Set<TopicPartition> partitions) {
        simulation.point("look up offsets");
        throwIfWoken();
        if (simulation.happens(Fault.OFFSETS_FAIL)) {
            throw new TimeoutException("The offsets are not known");
        }
        Map<TopicPartition, OffsetAndMetadata> committed = new HashMap<>();
        for (TopicPartition partition : partitions) {
            long offset = group().committed(partition);
            committed.put(partition, offset < 0 ? null : new OffsetAndMetadata(offset));
        }
        return committed;
    }

    void commitSync(Map<TopicPartition, OffsetAndMetadata> offsets) {
        simulation.point("commit offsets");
        boolean isCut = isWoken && simulation.choices().below(2) == 0;
        RuntimeException failure = isCut ? null : commit(offsets);
        throwIfWoken();
        answer();
        if (failure != null) {
            throw failure;
        }
    }

    void commitAsync(Map<TopicPartition, OffsetAndMetadata> offsets, OffsetCommitCallback callback) {
        simulation.point("send offsets");
        RuntimeException failure = commit(offsets);
        answers.add(() -> callback.onComplete(failure == null ? offsets : null, failure));
        if (!simulation.choices().oneIn(2)) {
            answer();
        }
    }

    void answer() {
        for (Runnable answer = answers.poll(); answer != null; answer = answers.poll()) {
            answer.run();
        }
    }

    /** Returns what the client is told. */
    private @Nullable RuntimeException commit(Map<TopicPartition, OffsetAndMetadata> offsets) {
        RuntimeException refusal = group().refusal(consumer, consumer.epoch(), offsets.keySet());
        if (refusal != null) {
            simulation.visit(Branch.ZOMBIE_COMMIT_REFUSED);
            simulation.note("a commit is refused: " + refusal.getClass().getSimpleName());
            return refusal;
        }
        if (!group().isCurrent(consumer, consumer.epoch())) {
            simulation.visit(Branch.COMMITTED_WHILE_REBALANCING);
        }
        boolean fails = simulation.happens(Fault.OFFSETS_FAIL);
        boolean isDone = !fails || simulation.choices().below(2) == 1;
        if (isDone) {
            // The order of the library's maps is another one in each run of the virtual machine.
            offsets.entrySet().stream()
                    .sorted(Comparator.comparing(entry -> entry.getKey().partition()))
                    .forEach(entry -> group().commit(
                                    entry.getKey(),
                                    ahead(entry.getKey(), entry.getValue().offset())));
        }
        if (fails) {
            simulation.visit(isDone ? Branch.OFFSET_ANSWER_LOST : Branch.OFFSET_COMMIT_FAILED);
            return new RetriableCommitFailedException("Nobody knows whether the offsets are committed");
        }
        return null;
    }

    private long ahead(TopicPartition partition, long offset) {
        if (!simulation.isBroken(Broken.OFFSET_AHEAD_OF_SETTLED)) {
            return offset;
        }
        List<SimulatedLog.Entry> next = simulation.log().from(partition.partition(), offset, 1);
        return next.isEmpty() ? offset : next.get(0).offset() + 1;
    }
}
