package io.idempotency.simulation;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedMemberEpochException;
import org.apache.kafka.common.errors.StaleMemberEpochException;
import org.apache.kafka.common.errors.UnknownMemberIdException;
import org.jspecify.annotations.Nullable;

/** The group as the broker sees it: members, whose partition is whose, and the committed offsets. */
final class SimulatedGroup {

    /** How a group shares its partitions. */
    enum Protocol {
        /** At a rebalance a member gives up what it loses, and keeps the rest. */
        COOPERATIVE,
        /** At a rebalance all members give up everything. */
        EAGER,
        /** KIP-848: each member has an epoch of its own, and partitions move one by one, as soon as they are given up. */
        CONSUMER
    }

    private final Simulation simulation;
    private final Protocol protocol;
    private final Map<TopicPartition, Long> committed = new HashMap<>();
    private final Map<TopicPartition, Integer> resets = new HashMap<>();
    /** Of each member, what it owns, or is to own. */
    private final Map<SimulatedConsumer, Set<Integer>> members = new LinkedHashMap<>();

    private final Map<SimulatedConsumer, Integer> epochs = new HashMap<>();
    /** Who has a partition: after an orderly rebalance the former owner, until it polls. */
    private final Map<Integer, SimulatedConsumer> holders = new HashMap<>();

    private int generation;

    SimulatedGroup(Simulation simulation) {
        this.simulation = simulation;
        this.protocol = Protocol.values()[simulation.choices().below(3)];
    }

    /** Returns offsets and owners, for whoever reads a failing schedule. */
    @Override
    public String toString() {
        return protocol + ", committed " + committed + ", members " + members;
    }

    Protocol protocol() {
        return protocol;
    }

    private SimulatedLog log() {
        return simulation.log();
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
        for (int i = 0; i < log().partitions(); i++) {
            // Nothing was to be committed where nothing is.
            if (Math.max(0, committed(SimulatedLog.partition(i))) < log().end(i, isWithMarkers)) {
                return false;
            }
        }
        return true;
    }

    /** Returns the generation of the group, or the epoch of the member under KIP-848. */
    int epoch(SimulatedConsumer member) {
        return protocol == Protocol.CONSUMER ? epochs.getOrDefault(member, 0) : generation;
    }

    boolean isCurrent(SimulatedConsumer member, int itsEpoch) {
        return members.containsKey(member) && itsEpoch == epoch(member);
    }

    boolean has(SimulatedConsumer member) {
        return members.containsKey(member);
    }

    /** Returns why a commit is refused, if it is: the member is out, or knows an old assignment and has given up the partitions. */
    @Nullable
    RuntimeException refusal(SimulatedConsumer member, int itsEpoch, Set<TopicPartition> some) {
        if (isCurrent(member, itsEpoch)) {
            return null;
        }
        boolean isHolder =
                has(member) && some.stream().allMatch(partition -> holders.get(partition.partition()) == member);
        if (protocol != Protocol.CONSUMER) {
            return isHolder ? null : new CommitFailedException();
        }
        if (!has(member)) {
            simulation.visit(Branch.MEMBER_FENCED);
            return simulation.choices().below(2) == 0
                    ? new FencedMemberEpochException("The member is out of the group")
                    : new UnknownMemberIdException("The member is out of the group");
        }
        // The heartbeat may have brought the new epoch before the commit.
        if (isHolder && simulation.choices().below(2) == 0) {
            return null;
        }
        simulation.visit(Branch.EPOCH_STALE);
        return new StaleMemberEpochException("The member has another epoch");
    }

    /** Takes a partition, unless somebody else has not given it up yet. */
    boolean take(SimulatedConsumer member, TopicPartition partition) {
        SimulatedConsumer holder = holders.putIfAbsent(partition.partition(), member);
        if (holder != null && holder != member) {
            simulation.visit(Branch.PARTITION_NOT_GIVEN_UP);
            return false;
        }
        return true;
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
        int number = partition.partition();
        simulation.history().offsetCommitted(number, offset, log().before(number, offset));
    }

    void join(SimulatedConsumer member) {
        members.put(member, Set.of());
        rebalance();
        // Whoever was fenced comes back as a new member, also if it gets nothing.
        epochs.put(member, generation);
    }

    void leave(SimulatedConsumer member) {
        if (members.remove(member) != null) {
            holders.values().removeIf(holder -> holder == member);
            rebalance();
        }
    }

    /** Rebalances, or takes a member that does not poll out of the group. It goes on until it polls: a zombie. */
    void disturb() {
        List<SimulatedConsumer> all = members();
        if (all.size() > 1 && simulation.choices().oneIn(2)) {
            SimulatedConsumer member = all.get(simulation.choices().below(all.size()));
            simulation.note(member + " is expelled");
            leave(member);
        } else {
            rebalance();
        }
    }

    private List<SimulatedConsumer> members() {
        return List.copyOf(members.keySet());
    }

    /** Gives each partition to somebody; whoever had it learns that later, and the next owner waits for that only if the rebalance is orderly. */
    private void rebalance() {
        generation++;
        if (protocol != Protocol.CONSUMER && simulation.choices().below(2) == 1) {
            simulation.visit(Branch.REBALANCED_WITHOUT_WAITING);
            holders.clear();
        }
        Map<SimulatedConsumer, Set<Integer>> before = Map.copyOf(members);
        List<SimulatedConsumer> all = members();
        all.forEach(member -> members.put(member, new TreeSet<>()));
        for (int i = 0; i < log().partitions() && !all.isEmpty(); i++) {
            SimulatedConsumer owner = all.get((i + simulation.choices().below(all.size())) % all.size());
            members.computeIfAbsent(owner, any -> new TreeSet<>()).add(i);
            if (committed(SimulatedLog.partition(i)) > 0 && simulation.happens(Fault.REWIND)) {
                rewind(SimulatedLog.partition(i));
                epochs.put(owner, generation);
            }
        }
        for (SimulatedConsumer member : all) {
            if (!assignment(member).equals(before.get(member))) {
                epochs.put(member, generation);
            }
        }
        simulation.note("generation " + generation + ": " + members);
    }

    private void rewind(TopicPartition partition) {
        long back = simulation.choices().below((int) Math.min(3, committed(partition) + 1));
        simulation.note("the offset of " + partition + " is reset to " + back);
        committed.put(partition, back);
        resets.merge(partition, 1, Integer::sum);
    }
}
