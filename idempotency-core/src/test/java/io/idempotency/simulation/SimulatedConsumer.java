package io.idempotency.simulation;

import java.time.Duration;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;

/** The client of one process. It believes in its assignment until a poll tells it otherwise. */
final class SimulatedConsumer {

    private final Simulation simulation;
    private final Member process;
    private final String name;
    private final Consumer<String, String> kafka = ConsumerProxy.of(this);
    private final OffsetClient offsets;
    private final Map<TopicPartition, Long> positions = new LinkedHashMap<>();
    private final Map<TopicPartition, Integer> resets = new HashMap<>();
    private final Set<TopicPartition> paused = new HashSet<>();
    private final Fetch fetch;
    private @Nullable ConsumerRebalanceListener listener;
    private int epoch = -1;
    private boolean isIncomplete;
    /** The last poll failed after it had taken records out of the fetch. */
    private boolean isAhead;

    SimulatedConsumer(Simulation simulation, Member process) {
        this.simulation = simulation;
        this.process = process;
        this.name = process + "/" + process.life;
        this.offsets = new OffsetClient(simulation, this);
        this.fetch = new Fetch(simulation, positions, paused);
    }

    Consumer<String, String> kafka() {
        return kafka;
    }

    OffsetClient offsets() {
        return offsets;
    }

    int epoch() {
        return epoch;
    }

    private SimulatedGroup group() {
        return simulation.group();
    }

    @Override
    public String toString() {
        return name;
    }

    void subscribe(ConsumerRebalanceListener told) {
        listener = told;
    }

    Set<TopicPartition> assignment() {
        // In an order that is the same in each run of the virtual machine.
        return Collections.unmodifiableSet(new LinkedHashSet<>(positions.keySet()));
    }

    Set<TopicPartition> paused() {
        return Set.copyOf(paused);
    }

    void pause(Collection<TopicPartition> some) {
        mayBeTakenAway();
        some.forEach(this::require);
        paused.addAll(some);
    }

    void resume(Collection<TopicPartition> some) {
        some.forEach(this::require);
        paused.removeAll(some);
    }

    void seek(TopicPartition partition, OffsetAndMetadata offset) {
        mayBeTakenAway();
        require(partition);
        boolean isRewinding = isAhead && simulation.isBroken(Broken.LOST_POLL_NOT_REWOUND);
        if (!isRewinding && !simulation.isBroken(Broken.SEEK_IGNORED)) {
            positions.put(partition, offset.offset());
        }
    }

    long position(TopicPartition partition) {
        require(partition);
        return positions.getOrDefault(partition, 0L);
    }

    private void require(TopicPartition partition) {
        if (!positions.containsKey(partition)) {
            throw lostAssignment(partition);
        }
    }

    private static IllegalStateException lostAssignment(TopicPartition partition) {
        return new IllegalStateException("No current assignment for partition " + partition);
    }

    /** Under KIP-848 a member that is fenced loses its partitions while no poll runs. */
    private void mayBeTakenAway() {
        if (group().protocol() == SimulatedGroup.Protocol.CONSUMER
                && !group().has(this)
                && !positions.isEmpty()
                && simulation.happens(Fault.TAKEN_AWAY)) {
            simulation.visit(Branch.TAKEN_AWAY_BETWEEN_POLLS);
            simulation.note("loses " + positions.keySet() + " in the background");
            drop(assignment());
        }
    }

    private void drop(Set<TopicPartition> lost) {
        positions.keySet().removeAll(lost);
        paused.removeAll(lost);
        group().giveUp(this, lost);
    }

    /** Leaves the group in order. What is settled has been committed before. */
    void close() {
        if (process.isDead || simulation.baton().isStopping()) {
            return;
        }
        simulation.point("close");
        offsets.answer();
        if (listener != null && !positions.isEmpty()) {
            listener.onPartitionsRevoked(assignment());
        }
        simulation.visit(Branch.CLOSED_IN_ORDER);
        if (!isAhead && group().isCurrent(this, epoch) && !simulation.allows(Fault.OFFSETS_FAIL)) {
            positions.forEach(this::requireCommitted);
        }
        group().leave(this);
    }

    private void requireCommitted(TopicPartition partition, long position) {
        long committed = Math.max(0, group().committed(partition));
        boolean isLeft = simulation.log().before(partition.partition(), position).stream()
                .anyMatch(entry -> entry.offset() >= committed);
        if (isLeft && group().holds(this, partition)) {
            throw simulation
                    .baton()
                    .violated("closes at " + position + " of " + partition + ", and " + committed + " is committed");
        }
    }

    ConsumerRecords<String, String> poll(Duration timeout) {
        process.beforePoll();
        simulation.point("poll");
        offsets.throwIfWoken();
        offsets.answer();
        if (simulation.happens(Fault.POLL_FAILS)) {
            simulation.visit(Branch.POLL_FAILED);
            throw new TimeoutException("The broker does not answer");
        }
        catchUp();
        ConsumerRecords<String, String> records = fetch.records();
        List<TopicPartition> moved = records.nextOffsets().keySet().stream()
                .sorted(Comparator.comparing(TopicPartition::partition))
                .toList();
        if (!moved.isEmpty() && simulation.happens(Fault.POLL_FAILS)) {
            simulation.visit(Branch.POLL_LOST_RECORDS);
            isAhead = true;
            simulation.note("the poll fails, and " + moved + " went on without their records");
            throw lostAssignment(moved.get(0));
        }
        isAhead = false;
        if (moved.isEmpty()) {
            fetch.throwUnreadable();
            boolean isWoken =
                    simulation.baton().waitFor(Math.max(1_000_000, timeout.toNanos()), this::hasSomethingToDo);
            simulation.note(isWoken ? "has something to poll" : "polls nothing");
        }
        return records;
    }

    private boolean hasSomethingToDo() {
        return offsets.isWoken() || epoch != group().epoch(this) || fetch.isPossible();
    }

    /** Joins, and learns which partitions are its own now. */
    private void catchUp() {
        boolean isOut = !group().has(this);
        if (isOut) {
            group().join(this);
        }
        if (epoch == group().epoch(this) && !isIncomplete) {
            return;
        }
        int joined = group().epoch(this);
        giveUp(isOut || (joined != epoch && group().protocol() == SimulatedGroup.Protocol.EAGER), isOut);
        epoch = joined;
        Set<TopicPartition> now = new HashSet<>();
        group().assignment(this).forEach(number -> now.add(SimulatedLog.partition(number)));
        now.removeIf(partition -> !group().take(this, partition));
        isIncomplete = now.size() < group().assignment(this).size();
        now.removeAll(positions.keySet());
        for (TopicPartition partition : now) {
            positions.put(partition, Math.max(0, group().committed(partition)));
            resets.put(partition, group().resets(partition));
        }
        if (listener != null) {
            listener.onPartitionsAssigned(now);
        }
    }

    private void giveUp(boolean isAll, boolean isOut) {
        Set<TopicPartition> lost = new HashSet<>(positions.keySet());
        lost.removeIf(partition -> !isAll
                && group().isOwner(this, partition.partition())
                && group().holds(this, partition)
                && resets.getOrDefault(partition, 0).equals(group().resets(partition)));
        if (lost.isEmpty()) {
            return;
        }
        boolean isOrderly = !isOut && lost.stream().allMatch(partition -> group().holds(this, partition));
        if (listener != null && (isOrderly || (!isOut && simulation.choices().below(2) == 0))) {
            listener.onPartitionsRevoked(lost);
        } else if (listener != null) {
            listener.onPartitionsLost(lost);
        }
        drop(lost);
    }
}
