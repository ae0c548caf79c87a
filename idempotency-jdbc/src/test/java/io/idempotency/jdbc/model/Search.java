package io.idempotency.jdbc.model;

import io.idempotency.jdbc.model.Member.Phase;
import io.idempotency.jdbc.model.Numbering.Numbers;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Visits all states of a world, nearest first, so that the first way to a fault is a shortest one. Whenever it has visited twice as many, and at the end, it looks
 * for the first state from which, without further mishaps, no way leads to everything being processed.
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

    /** The number of visited states at which it first looks for one that is stuck. */
    private static final int FEW = 1 << 12;

    private final World world;
    private final Protocol protocol;
    private final Surroundings surroundings;
    private final Numbering numbering = new Numbering();
    private final List<State> states = new ArrayList<>();
    private final Map<Numbers, Integer> known = new HashMap<>();
    private final IntStream.Builder parents = IntStream.builder();
    private final Ways ways = new Ways();

    Search(World world, Set<Variant> variants) {
        this.world = world;
        this.protocol = new Protocol(world, variants);
        this.surroundings = new Surroundings(world, variants);
    }

    Verdict verdict() {
        number(State.start(world), 0);
        for (int current = 0; current < states.size(); current++) {
            boolean isTwiceAsMany = current >= FEW && Integer.bitCount(current) == 1;
            int stuck = isTwiceAsMany ? firstStuck(current) : states.size();
            if (stuck < states.size()) {
                return verdict(Fault.STUCK, stuck);
            }
            for (Step step : steps(states.get(current))) {
                int before = states.size();
                int next = number(step.next(), current);
                if (next == before && Fault.of(step.next(), world) != Fault.NONE) {
                    return verdict(Fault.of(step.next(), world), next);
                }
                if (!step.isMishap()) {
                    ways.add(current, next);
                }
            }
        }
        int stuck = firstStuck(states.size());
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
        Numbers numbers = numbering.of(state);
        Integer number = known.putIfAbsent(numbers, states.size());
        if (number != null) {
            return number;
        }
        parents.add(parent);
        states.add(numbering.state(numbers));
        return states.size() - 1;
    }

    /** Returns the first state that is stuck, wherever those lead that are not visited yet; the number of all states if there is none. */
    private int firstStuck(int visited) {
        BitSet canFinish = new BitSet(states.size());
        canFinish.set(visited, states.size());
        IntStream.range(0, visited).filter(i -> isFinished(states.get(i))).forEach(canFinish::set);
        ways.addSources(canFinish);
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

    /** The steps that are no mishaps. */
    private static final class Ways {

        private int[] from = new int[1024];
        private int[] to = new int[1024];
        private int size;

        void add(int state, int next) {
            if (size == from.length) {
                from = Arrays.copyOf(from, size * 2);
                to = Arrays.copyOf(to, size * 2);
            }
            from[size] = state;
            to[size++] = next;
        }

        /** Adds the states from which a way leads to one of these. Steps mostly lead to later states, so that going backwards is done in a few rounds. */
        void addSources(BitSet states) {
            int before = -1;
            while (before != states.cardinality()) {
                before = states.cardinality();
                for (int i = size - 1; i >= 0; i--) {
                    if (states.get(to[i])) {
                        states.set(from[i]);
                    }
                }
            }
        }
    }
}
