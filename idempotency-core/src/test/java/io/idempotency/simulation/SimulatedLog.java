package io.idempotency.simulation;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.common.TopicPartition;

/** The broker: one topic whose partitions have gaps, one group with its generation, assignment and committed offsets. */
final class SimulatedLog {

    static final String TOPIC = "orders";

    private final Simulation simulation;
    private final List<List<Entry>> partitions = new ArrayList<>();
    private final List<Long> ends = new ArrayList<>();
    private final Map<TopicPartition, Long> committed = new HashMap<>();
    private final Map<TopicPartition, Integer> resets = new HashMap<>();
    /** Of each member, what it owns. */
    private final Map<SimulatedConsumer, Set<Integer>> members = new LinkedHashMap<>();

    /** Who has a partition: after an orderly rebalance the former owner, until it polls. */
    private final Map<Integer, SimulatedConsumer> holders = new HashMap<>();

    private int generation;

    /** A record. */
    record Entry(long offset, String id) {}

    SimulatedLog(Simulation simulation, int count) {
        this.simulation = simulation;
        for (int i = 0; i < count; i++) {
            partitions.add(new ArrayList<>());
            ends.add(0L);
        }
    }

    static TopicPartition partition(int number) {
        return new TopicPartition(TOPIC, number);
    }

    /** Returns records, offsets and owners, for whoever reads a failing schedule. */
    @Override
    public String toString() {
        return "records " + partitions + ", ends " + ends + ", committed " + committed + ", members " + members;
    }

    int partitions() {
        return partitions.size();
    }

    int generation() {
        return generation;
    }

    /** Appends a record, sometimes behind a gap: a compacted record or the marker of a transaction. */
    void append(int partition, String id) {
        long offset = ends.get(partition);
        if (simulation.choices().oneIn(6)) {
            offset++;
        }
        partitions.get(partition).add(new Entry(offset, id));
        ends.set(partition, offset + 1);
    }

    /** Appends something that no consumer gets to see. */
    void appendMarker(int partition) {
        ends.set(partition, ends.get(partition) + 1);
    }

    List<Entry> from(int partition, long offset, int most) {
        return partitions.get(partition).stream()
                .filter(entry -> entry.offset() >= offset)
                .limit(most)
                .toList();
    }

    /** Returns the offset of the next record, or the end. */
    long next(int partition, long offset) {
        return from(partition, offset, 1).stream()
                .map(Entry::offset)
                .findFirst()
                .orElse(ends.get(partition));
    }

    Long committed(TopicPartition partition) {
        return committed.getOrDefault(partition, -1L);
    }

    /** Returns how often the offset was reset: nobody keeps the partition then. */
    int resets(TopicPartition partition) {
        return resets.getOrDefault(partition, 0);
    }

    /** Returns whether the offsets behind all records are committed, and, if it is asked for, those behind the markers, too. */
    boolean isConsumed(boolean isWithMarkers) {
        for (int i = 0; i < ends.size(); i++) {
            List<Entry> records = partitions.get(i);
            long behind =
                    records.isEmpty() ? 0 : records.get(records.size() - 1).offset() + 1;
            // Nothing was to be committed where nothing is.
            if (Math.max(0, committed(partition(i))) < (isWithMarkers ? ends.get(i) : behind)) {
                return false;
            }
        }
        return true;
    }

    boolean isMember(SimulatedConsumer member, int itsGeneration) {
        return members.containsKey(member) && itsGeneration == generation;
    }

    /** Returns whether the member may commit: it knows the assignment, or has not given up the partitions yet. */
    boolean accepts(SimulatedConsumer member, int itsGeneration, Set<TopicPartition> some) {
        return isMember(member, itsGeneration)
                || (members.containsKey(member)
                        && some.stream().allMatch(partition -> holders.get(partition.partition()) == member));
    }

    /** Takes a partition, unless somebody else has not given it up yet. */
    boolean take(SimulatedConsumer member, TopicPartition partition) {
        SimulatedConsumer holder = holders.putIfAbsent(partition.partition(), member);
        return holder == null || holder == member;
    }

    boolean holds(SimulatedConsumer member, TopicPartition partition) {
        return holders.get(partition.partition()) == member;
    }

    void giveUp(SimulatedConsumer member, Set<TopicPartition> lost) {
        lost.forEach(partition -> holders.remove(partition.partition(), member));
    }

    boolean isOwner(SimulatedConsumer member, int partition) {
        return members.getOrDefault(member, Set.of()).contains(partition);
    }

    Set<Integer> assignment(SimulatedConsumer member) {
        return members.getOrDefault(member, Set.of());
    }

    void commit(TopicPartition partition, long offset) {
        Long before = committed.put(partition, offset);
        simulation.note("offset " + offset + " of " + partition + " is committed");
        if (before != null && before > offset) {
            simulation.visit(Branch.OFFSET_WENT_BACK);
        }
        simulation
                .history()
                .offsetCommitted(
                        partition.partition(),
                        offset,
                        partitions.get(partition.partition()).stream()
                                .filter(entry -> entry.offset() < offset)
                                .toList());
    }

    void join(SimulatedConsumer member) {
        members.put(member, Set.of());
        rebalance();
    }

    void leave(SimulatedConsumer member) {
        if (members.remove(member) != null) {
            holders.values().removeIf(holder -> holder == member);
            rebalance();
        }
    }

    /** Takes a member that does not poll out of the group. It goes on until it polls: a zombie. */
    void expel(SimulatedConsumer member) {
        leave(member);
    }

    List<SimulatedConsumer> members() {
        return List.copyOf(members.keySet());
    }

    /** Gives each partition to somebody; whoever had it learns that later, and the next owner waits for that only if the rebalance is orderly. */
    void rebalance() {
        generation++;
        if (simulation.choices().below(2) == 1) {
            simulation.visit(Branch.REBALANCED_WITHOUT_WAITING);
            holders.clear();
        }
        List<SimulatedConsumer> all = members();
        all.forEach(member -> members.put(member, new TreeSet<>()));
        for (int i = 0; i < partitions.size() && !all.isEmpty(); i++) {
            SimulatedConsumer owner = all.get((i + simulation.choices().below(all.size())) % all.size());
            members.computeIfAbsent(owner, any -> new TreeSet<>()).add(i);
            if (simulation.happens(Fault.REWIND) && committed(partition(i)) > 0) {
                long back = simulation.choices().below((int) Math.min(3, committed(partition(i)) + 1));
                simulation.note("offset of partition " + i + " is reset to " + back);
                committed.put(partition(i), back);
                resets.merge(partition(i), 1, Integer::sum);
            }
        }
        simulation.note("generation " + generation + ": " + members);
    }
}
