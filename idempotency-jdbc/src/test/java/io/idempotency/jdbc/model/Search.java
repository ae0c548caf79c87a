package io.idempotency.jdbc.model;

import io.idempotency.jdbc.model.Member.Phase;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Visits all states of a world, nearest first, so that the first way to a fault is a shortest one. At the end it looks for
 * the first state from which, without further mishaps, no way leads to everything being processed.
 */
final class Search {

    /** One step, in words, and the state after it. Progress must not depend on a mishap. */
    record Step(String what, State next, boolean isMishap) {

        static Step of(int member, String what, State next) {
            return new Step("member " + member + " " + what, next, false);
        }

        static Step mishap(int member, String what, State next) {
            return new Step("member " + member + " " + what, next, true);
        }

        static Step mishap(String what, State next) {
            return new Step(what, next, true);
        }
    }

    /** The first fault and a shortest way to it. */
    record Verdict(Fault fault, int states, List<String> trace) {

        @Override
        public String toString() {
            return fault == Fault.NONE
                    ? "no fault in " + states + " states"
                    : fault + " in " + trace.size() + " steps, found among " + states + " states\n  "
                            + String.join("\n  ", trace);
        }
    }

    private final World world;
    private final Protocol protocol;
    private final Surroundings surroundings;
    private final List<State> states = new ArrayList<>();
    private final Map<State, Integer> numbers = new HashMap<>();
    private final IntStream.Builder parents = IntStream.builder();
    private final IntStream.Builder from = IntStream.builder();
    private final IntStream.Builder to = IntStream.builder();

    Search(World world, Set<Variant> variants) {
        this.world = world;
        this.protocol = new Protocol(world, variants);
        this.surroundings = new Surroundings(world, variants);
    }

    Verdict verdict() {
        number(State.start(world), 0);
        for (int current = 0; current < states.size(); current++) {
            for (Step step : steps(states.get(current))) {
                int known = states.size();
                int next = number(step.next(), current);
                if (next == known && Fault.of(step.next(), world) != Fault.NONE) {
                    return verdict(Fault.of(step.next(), world), next);
                }
                if (!step.isMishap()) {
                    from.add(current);
                    to.add(next);
                }
            }
        }
        int stuck = firstStuck();
        return stuck < states.size() ? verdict(Fault.STUCK, stuck) : new Verdict(Fault.NONE, states.size(), List.of());
    }

    private List<Step> steps(State state) {
        List<Step> steps = new ArrayList<>(surroundings.steps(state));
        for (int member = 0; member < World.MEMBERS; member++) {
            steps.addAll(protocol.steps(state, member));
        }
        return steps;
    }

    private int number(State state, int parent) {
        Integer known = numbers.putIfAbsent(state, states.size());
        if (known != null) {
            return known;
        }
        parents.add(parent);
        states.add(state);
        return states.size() - 1;
    }

    /** Steps mostly lead to later states, so that going backwards is done in a few rounds. */
    private int firstStuck() {
        int[] starts = from.build().toArray();
        int[] ends = to.build().toArray();
        BitSet canFinish = new BitSet(states.size());
        IntStream.range(0, states.size()).filter(i -> isFinished(states.get(i))).forEach(canFinish::set);
        int before = -1;
        while (before != canFinish.cardinality()) {
            before = canFinish.cardinality();
            for (int i = starts.length - 1; i >= 0; i--) {
                if (canFinish.get(ends[i])) {
                    canFinish.set(starts[i]);
                }
            }
        }
        return canFinish.nextClearBit(0);
    }

    /** A member that was refused below the horizon waits for a decision. */
    private boolean isFinished(State state) {
        int owner = state.kafka().owner();
        if (owner != State.NOBODY && state.member(owner).isIn(Phase.REFUSED)) {
            return true;
        }
        List<Integer> committed = state.kafka().committed();
        return IntStream.range(0, world.partitions())
                .allMatch(p -> committed.get(p) == world.log(p).length());
    }

    private Verdict verdict(Fault fault, int last) {
        int[] parent = parents.build().toArray();
        Deque<String> trace = new ArrayDeque<>();
        for (int i = last; i > 0; i = parent[i]) {
            State next = states.get(i);
            trace.addFirst(steps(states.get(parent[i])).stream()
                    .filter(step -> step.next().equals(next))
                    .map(step -> String.format("%-46s %s", step.what(), next.inShort()))
                    .findFirst()
                    .orElseThrow());
        }
        return new Verdict(fault, states.size(), List.copyOf(trace));
    }
}
