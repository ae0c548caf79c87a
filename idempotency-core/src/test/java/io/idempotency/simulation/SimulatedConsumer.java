package io.idempotency.simulation;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.clients.consumer.RetriableCommitFailedException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** The client of one process. It believes in its assignment until a poll tells it otherwise. */
final class SimulatedConsumer implements InvocationHandler {

    private static final int MOST_RECORDS = 8;

    private final Simulation simulation;
    private final String name;
    private final Consumer<String, String> kafka;
    private final Map<TopicPartition, Long> positions = new LinkedHashMap<>();
    private final Map<TopicPartition, Integer> resets = new HashMap<>();
    private final Set<TopicPartition> paused = new HashSet<>();
    private final Deque<Runnable> answers = new ArrayDeque<>();
    private @Nullable ConsumerRebalanceListener listener;
    private int generation = -1;
    private boolean isIncomplete;

    @SuppressWarnings("unchecked")
    SimulatedConsumer(Simulation simulation, String name) {
        this.simulation = simulation;
        this.name = name;
        this.kafka = (Consumer<String, String>)
                Proxy.newProxyInstance(Consumer.class.getClassLoader(), new Class<?>[] {Consumer.class}, this);
    }

    Consumer<String, String> kafka() {
        return kafka;
    }

    void listener(ConsumerRebalanceListener told) {
        listener = told;
    }

    @Override
    public String toString() {
        return name;
    }

    @Override
    @SuppressWarnings("unchecked")
    public @Nullable Object invoke(Object proxy, Method method, Object @Nullable [] given) {
        Object[] arguments = given == null ? new Object[0] : given;
        switch (method.getName()) {
            case "assignment" -> {
                return Set.copyOf(positions.keySet());
            }
            case "paused" -> {
                return Set.copyOf(paused);
            }
            case "pause" -> {
                mayBeTakenAway();
                Collection<TopicPartition> some = (Collection<TopicPartition>) arguments[0];
                some.forEach(this::require);
                paused.addAll(some);
                return null;
            }
            case "resume" -> {
                Collection<TopicPartition> some = (Collection<TopicPartition>) arguments[0];
                some.forEach(this::require);
                paused.removeAll(some);
                return null;
            }
            case "seek" -> {
                mayBeTakenAway();
                TopicPartition partition = (TopicPartition) arguments[0];
                require(partition);
                if (!simulation.isBroken(Broken.SEEK_IGNORED)) {
                    positions.put(partition, ((OffsetAndMetadata) arguments[1]).offset());
                }
                return null;
            }
            case "position" -> {
                require((TopicPartition) arguments[0]);
                return positions.get((TopicPartition) arguments[0]);
            }
            case "committed" -> {
                return committed((Set<TopicPartition>) arguments[0]);
            }
            case "commitSync" -> {
                simulation.point("commit offsets");
                RuntimeException failure = commit((Map<TopicPartition, OffsetAndMetadata>) arguments[0]);
                answer();
                if (failure != null) {
                    throw failure;
                }
                return null;
            }
            case "commitAsync" -> {
                commitAsync((Map<TopicPartition, OffsetAndMetadata>) arguments[0], (OffsetCommitCallback) arguments[1]);
                return null;
            }
            case "poll" -> {
                return poll((Duration) arguments[0]);
            }
            case "toString" -> {
                return name;
            }
            default -> throw new UnsupportedOperationException(method.getName());
        }
    }

    private void require(TopicPartition partition) {
        if (!positions.containsKey(partition)) {
            throw new IllegalStateException("No current assignment for partition " + partition);
        }
    }

    private Map<TopicPartition, OffsetAndMetadata> committed(Set<TopicPartition> partitions) {
        simulation.point("look up offsets");
        if (simulation.happens(Fault.OFFSETS_FAIL)) {
            throw new org.apache.kafka.common.errors.TimeoutException("The offsets are not known");
        }
        Map<TopicPartition, OffsetAndMetadata> committed = new HashMap<>();
        for (TopicPartition partition : partitions) {
            long offset = simulation.log().committed(partition);
            committed.put(partition, offset < 0 ? null : new OffsetAndMetadata(offset));
        }
        return committed;
    }

    private void commitAsync(Map<TopicPartition, OffsetAndMetadata> offsets, OffsetCommitCallback callback) {
        simulation.point("send offsets");
        RuntimeException failure = commit(offsets);
        answers.add(() -> callback.onComplete(failure == null ? offsets : null, failure));
        if (!simulation.choices().oneIn(2)) {
            answer();
        }
    }

    private void answer() {
        for (Runnable answer = answers.poll(); answer != null; answer = answers.poll()) {
            answer.run();
        }
    }

    /** Returns what the client is told. */
    private @Nullable RuntimeException commit(Map<TopicPartition, OffsetAndMetadata> offsets) {
        if (!simulation.log().accepts(this, generation, offsets.keySet())) {
            simulation.visit(Branch.ZOMBIE_COMMIT_REFUSED);
            simulation.note("a commit of generation " + generation + " is refused");
            return new CommitFailedException();
        }
        if (generation != simulation.log().generation()) {
            simulation.visit(Branch.COMMITTED_WHILE_REBALANCING);
        }
        boolean fails = simulation.happens(Fault.OFFSETS_FAIL);
        boolean isDone = !fails || simulation.choices().below(2) == 1;
        if (isDone) {
            offsets.forEach(
                    (partition, offset) -> simulation.log().commit(partition, ahead(partition, offset.offset())));
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

    /** Under KIP-848 partitions go while no poll runs. */
    private void mayBeTakenAway() {
        if (!simulation.log().isMember(this, generation) && simulation.happens(Fault.TAKEN_AWAY)) {
            Set<TopicPartition> lost = new HashSet<>(positions.keySet());
            lost.removeIf(partition -> simulation.log().isOwner(this, partition.partition()));
            if (!lost.isEmpty()) {
                simulation.visit(Branch.TAKEN_AWAY_BETWEEN_POLLS);
                simulation.note("loses " + lost + " in the background");
                positions.keySet().removeAll(lost);
                paused.removeAll(lost);
                simulation.log().giveUp(this, lost);
            }
        }
    }

    private ConsumerRecords<String, String> poll(Duration timeout) {
        simulation.point("poll");
        answer();
        catchUp();
        Map<TopicPartition, List<ConsumerRecord<String, String>>> records = new LinkedHashMap<>();
        Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>();
        int most = 1 + simulation.choices().below(MOST_RECORDS);
        for (TopicPartition partition : List.copyOf(positions.keySet())) {
            if (!paused.contains(partition) && most > 0) {
                List<ConsumerRecord<String, String>> fetched = fetch(partition, most, next);
                most -= fetched.size();
                if (!fetched.isEmpty()) {
                    records.put(partition, fetched);
                }
            }
        }
        if (next.isEmpty()) {
            boolean isWoken =
                    simulation.baton().waitFor(Math.max(1_000_000, timeout.toNanos()), this::hasSomethingToDo);
            simulation.note(isWoken ? "has something to poll" : "polls nothing");
            return new ConsumerRecords<>(Map.of(), Map.of());
        }
        simulation.note("polls "
                + records.values().stream().map(SimulatedConsumer::named).toList());
        return new ConsumerRecords<>(records, next);
    }

    private boolean hasSomethingToDo() {
        return generation != simulation.log().generation()
                || positions.entrySet().stream()
                        .anyMatch(position -> !paused.contains(position.getKey())
                                && !simulation
                                        .log()
                                        .from(position.getKey().partition(), position.getValue(), 1)
                                        .isEmpty());
    }

    private static List<String> named(List<ConsumerRecord<String, String>> records) {
        return records.stream()
                .map(record -> record.key() + "@" + record.partition() + "-" + record.offset())
                .toList();
    }

    private List<ConsumerRecord<String, String>> fetch(
            TopicPartition partition, int most, Map<TopicPartition, OffsetAndMetadata> next) {
        long from = positions.getOrDefault(partition, 0L);
        List<ConsumerRecord<String, String>> fetched = new ArrayList<>();
        for (SimulatedLog.Entry entry : simulation.log().from(partition.partition(), from, most)) {
            fetched.add(new ConsumerRecord<>(
                    partition.topic(), partition.partition(), entry.offset(), entry.id(), entry.id()));
        }
        long behind = fetched.isEmpty() ? from : fetched.get(fetched.size() - 1).offset() + 1;
        long position = fetched.isEmpty() || simulation.choices().below(2) == 1
                ? simulation.log().next(partition.partition(), behind)
                : behind;
        if (position > behind) {
            simulation.visit(Branch.GAP_PASSED);
        }
        if (position > from) {
            positions.put(partition, position);
            next.put(partition, new OffsetAndMetadata(position, Optional.empty(), ""));
        }
        return fetched;
    }

    /** Joins, and learns which partitions are its own now. */
    private void catchUp() {
        if (!simulation.log().members().contains(this)) {
            simulation.log().join(this);
        }
        if (generation == simulation.log().generation() && !isIncomplete) {
            return;
        }
        int joined = simulation.log().generation();
        Set<TopicPartition> now = new HashSet<>();
        simulation.log().assignment(this).forEach(number -> now.add(SimulatedLog.partition(number)));
        Set<TopicPartition> lost = new HashSet<>(positions.keySet());
        lost.removeAll(now);
        positions.keySet().stream()
                .filter(partition -> !simulation.log().holds(this, partition)
                        || !resets.getOrDefault(partition, 0)
                                .equals(simulation.log().resets(partition)))
                .forEach(lost::add);
        if (!lost.isEmpty() && listener != null) {
            if (simulation.choices().below(2) == 0) {
                listener.onPartitionsRevoked(lost);
            } else {
                listener.onPartitionsLost(lost);
            }
        }
        positions.keySet().removeAll(lost);
        paused.removeAll(lost);
        simulation.log().giveUp(this, lost);
        generation = joined;
        now.removeIf(partition -> !simulation.log().isOwner(this, partition.partition()));
        now.removeIf(partition -> !simulation.log().take(this, partition));
        isIncomplete = now.size() < simulation.log().assignment(this).size();
        now.removeAll(positions.keySet());
        for (TopicPartition partition : now) {
            positions.put(partition, Math.max(0, simulation.log().committed(partition)));
            resets.put(partition, simulation.log().resets(partition));
        }
        if (listener != null) {
            listener.onPartitionsAssigned(now);
        }
    }
}
