package io.idempotency.keyorder;

import io.idempotency.keyorder.Variant.Fault;
import java.util.ArrayList;
import java.util.List;

/**
 * A state of the model: one partition whose messages all have one key.
 *
 * @param status of each message: {@code .} new, {@code P} processed, {@code Q} in quarantine, {@code D} dropped
 * @param entries of each message in quarantine: {@code .} none, {@code h} failed itself, {@code b} behind another one
 * @param effects a bit for each message that had an effect
 * @param replayed the message that a replay handles; -1 for none
 * @param committed the committed offset
 * @param owner the member that may commit offsets
 * @param left how many rebalances, failures and drops may still happen
 */
record State(
        String status,
        String entries,
        int effects,
        int replayed,
        List<Member> members,
        int committed,
        int owner,
        Left left,
        Fault fault) {

    static final int MESSAGES = 3;
    static final int NOBODY = -1;

    /** Bounds of what goes wrong. */
    record Left(int rebalances, int failures, int drops) {}

    /** Where a member is with its transaction. */
    enum Phase {
        /** It has no partition, and keeps what it knows. */
        AWAY,
        READY,
        /** Its transaction has begun; {@code view} shows what a snapshot shows. */
        BEGUN,
        /** Its claims are answered. */
        CLAIMED,
        /** Its handler has run. */
        DECIDED,
        /** Its message failed alone. */
        FAILED
    }

    /**
     * A process.
     *
     * @param next the offset of its next message
     * @param keys whether the key is among the blocked ones: {@code ?} unknown, {@code y} or {@code n}
     * @param view entries as its transaction sees them
     * @param answers to its claims, then what becomes of each message: {@code P} handled, {@code b} behind, {@code -} skipped
     */
    record Member(Phase phase, int next, char keys, String view, String answers) {

        static final Member NEW = new Member(Phase.AWAY, 0, '?', "", "");

        Member ready(int offset, char known) {
            return new Member(Phase.READY, offset, known, "", "");
        }

        boolean locks(int message) {
            int at = message - next;
            return (phase == Phase.CLAIMED || phase == Phase.DECIDED)
                    && at >= 0
                    && at < answers.length()
                    && (answers.charAt(at) == '.' || answers.charAt(at) == 'P' || answers.charAt(at) == 'b');
        }
    }

    static State start(Left left) {
        return new State(
                ".".repeat(MESSAGES),
                ".".repeat(MESSAGES),
                0,
                NOBODY,
                List.of(Member.NEW, Member.NEW),
                0,
                NOBODY,
                left,
                Fault.NONE);
    }

    /** States are told apart by this text. */
    String key() {
        StringBuilder text = new StringBuilder(status).append(entries);
        text.append(effects)
                .append(',')
                .append(replayed)
                .append(',')
                .append(committed)
                .append(',')
                .append(owner);
        text.append(left.rebalances).append(left.failures).append(left.drops).append(fault);
        for (Member member : members) {
            text.append(member.phase).append(member.next).append(member.keys);
            text.append(member.view).append('/').append(member.answers).append(';');
        }
        return text.toString();
    }

    boolean isLocked(int message, int butFor) {
        for (int i = 0; i < members.size(); i++) {
            if (i != butFor && members.get(i).locks(message)) {
                return true;
            }
        }
        return replayed == message;
    }

    boolean isFinished() {
        return status.indexOf('.') < 0 && status.indexOf('Q') < 0;
    }

    State with(int member, Member changed) {
        List<Member> copy = new ArrayList<>(members);
        copy.set(member, changed);
        return new State(status, entries, effects, replayed, List.copyOf(copy), committed, owner, left, fault);
    }

    State with(int changedReplayed, int changedCommitted, int changedOwner, Left changedLeft) {
        return new State(
                status, entries, effects, changedReplayed, members, changedCommitted, changedOwner, changedLeft, fault);
    }

    State with(Fault found) {
        return new State(status, entries, effects, replayed, members, committed, owner, left, found);
    }

    /** Stores a message's status and entry. */
    State store(int message, char newStatus, char newEntry) {
        return new State(
                set(status, message, newStatus),
                set(entries, message, newEntry),
                effects,
                replayed,
                members,
                committed,
                owner,
                left,
                fault);
    }

    State effect(int message) {
        Fault found = ((effects >> message) & 1) == 1 ? Fault.DOUBLE : (effects >> message) != 0 ? Fault.ORDER : fault;
        return new State(status, entries, effects | (1 << message), replayed, members, committed, owner, left, found);
    }

    private static String set(String text, int at, char value) {
        return text.substring(0, at) + value + text.substring(at + 1);
    }
}
