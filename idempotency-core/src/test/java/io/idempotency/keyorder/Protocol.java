package io.idempotency.keyorder;

import io.idempotency.keyorder.State.Left;
import io.idempotency.keyorder.State.Member;
import io.idempotency.keyorder.State.Phase;
import io.idempotency.keyorder.Variant.Fault;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** The steps that members, replays and operators may take. */
final class Protocol {

    private final Set<Variant> without;
    private final boolean isSnapshot;
    private final List<State> steps = new ArrayList<>();

    /** @param isSnapshot whether a transaction sees what was committed when it began */
    Protocol(Set<Variant> without, boolean isSnapshot) {
        this.without = without;
        this.isSnapshot = isSnapshot;
    }

    /** Returns the states that may follow. */
    List<State> steps(State state) {
        steps.clear();
        for (int member = 0; member < state.members().size(); member++) {
            rebalance(state, member);
            switch (state.members().get(member).phase()) {
                case AWAY -> away(state, member);
                case READY -> ready(state, member);
                case BEGUN -> claim(state, member);
                case CLAIMED -> handle(state, member);
                case DECIDED -> commit(state, member);
                case FAILED -> charge(state, member);
            }
        }
        replay(state);
        return List.copyOf(steps);
    }

    /** The former owner goes on for a while. It may also crash. */
    private void rebalance(State state, int to) {
        Member member = state.members().get(to);
        if (member.phase() != Phase.AWAY || state.left().rebalances() == 0 || state.owner() == to) {
            return;
        }
        boolean isKnown = member.next() == state.committed()
                || without.contains(Variant.OLD_KEYS_TRUSTED)
                || without.contains(Variant.KEYS_READ_BEFORE_THE_OFFSET);
        Left left = new Left(
                state.left().rebalances() - 1,
                state.left().failures(),
                state.left().drops());
        State assigned = state.with(to, member.ready(state.committed(), isKnown ? member.keys() : '?'))
                .with(state.replayed(), state.committed(), to, left);
        steps.add(assigned);
        if (state.owner() != State.NOBODY) {
            steps.add(assigned.with(state.owner(), Member.NEW));
        }
    }

    private void away(State state, int number) {
        Member member = state.members().get(number);
        if (without.contains(Variant.KEYS_READ_BEFORE_THE_OFFSET) && member.keys() == '?') {
            steps.add(state.with(number, new Member(Phase.AWAY, member.next(), keys(state), "", "")));
        }
    }

    private char keys(State state) {
        return isBlocked(state.entries(), State.MESSAGES) ? 'y' : 'n';
    }

    private boolean isBlocked(String entries, int before) {
        String earlier = entries.substring(0, before);
        return earlier.indexOf('h') >= 0 || (earlier.indexOf('b') >= 0 && !without.contains(Variant.FOLLOWERS_IGNORED));
    }

    private void ready(State state, int number) {
        Member member = state.members().get(number);
        if (number == state.owner() && member.next() > state.committed()) {
            steps.add(state.with(state.replayed(), member.next(), state.owner(), state.left()));
        }
        if (number != state.owner()) {
            steps.add(state.with(number, new Member(Phase.AWAY, member.next(), member.keys(), "", "")));
        }
        if (member.keys() == '?') {
            steps.add(state.with(number, member.ready(member.next(), keys(state))));
            return;
        }
        for (int length = 1; length <= 2 && member.next() + length <= State.MESSAGES; length++) {
            Member begun = new Member(
                    Phase.BEGUN, member.next(), member.keys(), isSnapshot ? state.entries() : "", "?".repeat(length));
            steps.add(state.with(number, begun));
        }
    }

    private void claim(State state, int number) {
        Member member = state.members().get(number);
        int end = member.next() + member.answers().length();
        for (int message = member.next(); message < end; message++) {
            if (state.isLocked(message, number)) {
                return;
            }
        }
        String answers = state.status().substring(member.next(), end);
        char keys = answers.indexOf('Q') >= 0 ? 'y' : member.keys();
        steps.add(state.with(number, new Member(Phase.CLAIMED, member.next(), keys, member.view(), answers)));
    }

    private void handle(State state, int number) {
        Member member = state.members().get(number);
        String view = isSnapshot ? member.view() : state.entries();
        StringBuilder ends = new StringBuilder();
        boolean isBlockedHere = false;
        boolean isFree = false;
        Fault fault = state.fault();
        for (int i = 0; i < member.answers().length(); i++) {
            char answer = member.answers().charAt(i);
            if (answer == 'Q') {
                isBlockedHere |= !without.contains(Variant.SNAPSHOT_BELIEVED);
            }
            if (answer != '.') {
                ends.append('-');
                continue;
            }
            boolean isBefore = isBlocked(view, member.next() + i);
            boolean isHeldBack =
                    isBlockedHere || (member.keys() == 'y' && (isBefore || without.contains(Variant.NO_VERIFICATION)));
            isFree |= member.keys() == 'y' && !isHeldBack;
            if (isHeldBack && !isBlockedHere && !isBefore) {
                fault = Fault.NEEDLESS;
            }
            isBlockedHere |= isHeldBack;
            ends.append(isHeldBack ? 'b' : 'P');
        }
        char keys = isFree && !isBlockedHere ? 'n' : member.keys();
        steps.add(state.with(number, new Member(Phase.DECIDED, member.next(), keys, "", ends.toString()))
                .with(fault));
        if (ends.toString().equals("P") && state.left().failures() > 0) {
            steps.add(state.with(number, new Member(Phase.FAILED, member.next(), member.keys(), "", ""))
                    .with(state.replayed(), state.committed(), state.owner(), failedOnce(state)));
        }
    }

    private static Left failedOnce(State state) {
        return new Left(
                state.left().rebalances(),
                state.left().failures() - 1,
                state.left().drops());
    }

    private void commit(State state, int number) {
        Member member = state.members().get(number);
        State next = state;
        for (int i = 0; i < member.answers().length(); i++) {
            int message = member.next() + i;
            char end = member.answers().charAt(i);
            if (end == 'P') {
                next = next.store(message, 'P', '.').effect(message);
            } else if (end == 'b') {
                next = next.store(message, 'Q', 'b');
            }
        }
        steps.add(
                next.with(number, member.ready(member.next() + member.answers().length(), member.keys())));
    }

    private void charge(State state, int number) {
        Member member = state.members().get(number);
        int message = member.next();
        if (!state.isLocked(message, number)) {
            char status = state.status().charAt(message);
            State next = status == '.' ? state.store(message, 'Q', 'h') : state;
            boolean isBlocked = status == '.' || status == 'Q';
            steps.add(next.with(number, member.ready(message + 1, isBlocked ? 'y' : member.keys())));
        }
    }

    private void replay(State state) {
        if (state.replayed() != State.NOBODY) {
            State ended = state.with(State.NOBODY, state.committed(), state.owner(), state.left());
            steps.add(ended.store(state.replayed(), 'P', '.').effect(state.replayed()));
            if (state.left().failures() > 0) {
                steps.add(ended.store(state.replayed(), 'Q', 'h')
                        .with(State.NOBODY, state.committed(), state.owner(), failedOnce(state)));
            }
            return;
        }
        for (int message = 0; message < State.MESSAGES; message++) {
            char entry = state.entries().charAt(message);
            boolean isFree = state.entries().substring(0, message).chars().allMatch(earlier -> earlier == '.')
                    || without.contains(Variant.REPLAYED_OUT_OF_ORDER);
            boolean isWanted =
                    entry == 'h' || (entry == 'b' && !without.contains(Variant.FOLLOWERS_WAIT_FOR_A_REQUEST));
            if (isWanted && isFree) {
                steps.add(state.with(message, state.committed(), state.owner(), state.left()));
            }
            if (entry == 'h' && state.left().drops() > 0) {
                Left left = new Left(
                        state.left().rebalances(),
                        state.left().failures(),
                        state.left().drops() - 1);
                steps.add(
                        state.store(message, 'D', '.').with(state.replayed(), state.committed(), state.owner(), left));
            }
        }
    }
}
