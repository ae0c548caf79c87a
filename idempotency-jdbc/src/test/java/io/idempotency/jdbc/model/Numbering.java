package io.idempotency.jdbc.model;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** Numbers the parts of states, equal ones equally. A step leaves most parts as they are, and a part that was kept is found without a look at what is in it. */
final class Numbering {

    /** The numbers of the parts of a state: those of two states are equal if the states are. */
    record Numbers(int kafka, int database, int windows, int lists, int members) {

        private static final long GOLDEN = 0x9E3779B97F4A7C15L;

        /** The hash of a record has many collisions if its components are small numbers. */
        @Override
        public int hashCode() {
            long hash = kafka;
            hash = hash * GOLDEN + database;
            hash = hash * GOLDEN + windows;
            hash = hash * GOLDEN + lists;
            hash = hash * GOLDEN + members;
            return (int) ((hash * GOLDEN) >>> Integer.SIZE);
        }
    }

    private final Part<State.Kafka> kafka = new Part<>();
    private final Part<State.Database> database = new Part<>();
    private final Part<List<List<Window>>> windows = new Part<>();
    private final Part<List<Journal.View>> lists = new Part<>();
    private final Part<List<Member>> members = new Part<>();

    Numbers of(State state) {
        return new Numbers(
                kafka.number(state.kafka()),
                database.number(state.database()),
                windows.number(state.windows()),
                lists.number(state.lists()),
                members.number(state.members()));
    }

    /** Returns the state of the parts that were numbered first, which all states share. */
    State state(Numbers numbers) {
        return new State(
                kafka.kept.get(numbers.kafka()),
                database.kept.get(numbers.database()),
                windows.kept.get(numbers.windows()),
                lists.kept.get(numbers.lists()),
                members.kept.get(numbers.members()));
    }

    private static final class Part<T> {

        private final List<T> kept = new ArrayList<>();
        private final IdentityHashMap<T, Integer> same = new IdentityHashMap<>();
        private final Map<T, Integer> equal = new HashMap<>();

        int number(T value) {
            Integer known = same.get(value);
            if (known == null) {
                known = equal.putIfAbsent(value, kept.size());
            }
            if (known == null) {
                known = kept.size();
                same.put(value, known);
                kept.add(value);
            }
            return known;
        }
    }
}
