package io.idempotency.keyorder;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.keyorder.State.Left;
import io.idempotency.keyorder.Variant.Fault;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Visits every order of quarantine, rebalance with a late former owner, replay, drop and new messages. The effects of a key come in the order of its
 * messages, and no message is stranded. Without any one of the rules there is an order in which that fails.
 */
@Tag("rule-10.2")
@Tag("rule-10.3")
@Tag("rule-10.6")
@Tag("rule-10.9")
class KeyOrderModelTest {

    private static final Left WITH_A_DROP = new Left(2, 1, 1);
    private static final Left BACK_AND_FORTH = new Left(3, 1, 0);

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void keepsTheOrderOfKeys(boolean isSnapshot) {
        assertThat(search(Set.of(), isSnapshot, WITH_A_DROP)).isEqualTo(Fault.NONE);
    }

    @Test
    void keepsTheOrderOfKeysIfAPartitionComesBack() {
        assertThat(search(Set.of(), true, BACK_AND_FORTH)).isEqualTo(Fault.NONE);
    }

    @ParameterizedTest
    @EnumSource
    void findsTheFaultOf(Variant variant) {
        assertThat(search(Set.of(variant), true, BACK_AND_FORTH)).isEqualTo(variant.fault);
    }

    private static Fault search(Set<Variant> without, boolean isSnapshot, Left bounds) {
        Protocol protocol = new Protocol(without, isSnapshot);
        Map<String, Integer> numbers = new HashMap<>();
        List<State> states = new ArrayList<>();
        List<int[]> next = new ArrayList<>();
        numbers.put(State.start(bounds).key(), 0);
        states.add(State.start(bounds));
        for (int current = 0; current < states.size(); current++) {
            List<State> steps = protocol.steps(states.get(current));
            int[] ends = new int[steps.size()];
            for (int i = 0; i < ends.length; i++) {
                State step = steps.get(i);
                if (step.fault() != Fault.NONE) {
                    System.out.println(without + ": " + step.fault() + " among " + states.size() + " states");
                    return step.fault();
                }
                Integer known = numbers.putIfAbsent(step.key(), states.size());
                ends[i] = known == null ? states.size() : known;
                if (known == null) {
                    states.add(step);
                }
            }
            next.add(ends);
        }
        System.out.println(without + ": no fault at any of " + states.size() + " states");
        return canAllFinish(states, next) ? Fault.NONE : Fault.STRANDED;
    }

    private static boolean canAllFinish(List<State> states, List<int[]> next) {
        BitSet can = new BitSet(states.size());
        int before = -1;
        while (before != can.cardinality()) {
            before = can.cardinality();
            for (int i = states.size() - 1; i >= 0; i--) {
                boolean isGood = states.get(i).isFinished();
                for (int end : next.get(i)) {
                    isGood |= can.get(end);
                }
                can.set(i, isGood);
            }
        }
        return can.cardinality() == states.size();
    }
}
