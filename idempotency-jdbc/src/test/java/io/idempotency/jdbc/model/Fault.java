package io.idempotency.jdbc.model;

import io.idempotency.jdbc.model.Journal.Effects;
import io.idempotency.jdbc.model.Member.Phase;
import io.idempotency.jdbc.model.Member.Share;
import java.util.List;

/** The faults that must never occur. */
enum Fault {
    NONE,
    /** An offset is committed or passed, and the effect of its message is not there. */
    LOST,
    /** A message has two effects. */
    DOUBLED,
    /** A partition's effects are not in the order of its offsets. */
    REORDERED,
    /** Without further mishaps not everything can be processed any more. */
    STUCK;

    /** Judges one state; whether it is {@link #STUCK} only all states together can tell. */
    static Fault of(State state, World world) {
        for (int partition = 0; partition < world.partitions(); partition++) {
            String log = world.log(partition);
            Effects effects = state.journal(partition).effects();
            if (isLost(effects, log, passed(state, partition))) {
                return LOST;
            }
            if (isDoubled(effects, log)) {
                return DOUBLED;
            }
            if (isReordered(effects)) {
                return REORDERED;
            }
        }
        return NONE;
    }

    /** The first offset that nobody takes for settled. */
    static int passed(State state, int partition) {
        int passed = state.kafka().committed().get(partition);
        for (Member member : state.members()) {
            Share share = member.shares().get(partition);
            passed = Math.max(passed, member.isIn(Phase.COMMITTED) ? share.to() : share.position());
        }
        return passed;
    }

    private static boolean isLost(Effects effects, String log, int passed) {
        for (int offset = 0; offset < passed; offset++) {
            char message = log.charAt(offset);
            if (!effects.isForgotten(offset)
                    && effects.offsets().stream().noneMatch(each -> log.charAt(each) == message)) {
                return true;
            }
        }
        return false;
    }

    /** A copy may have an effect of its own once the retention has ended; the same delivery never. */
    private static boolean isDoubled(Effects effects, String log) {
        List<Integer> offsets = effects.offsets();
        for (int i = 1; i < offsets.size(); i++) {
            for (int earlier : offsets.subList(0, i)) {
                boolean isCopy = log.charAt(earlier) == log.charAt(offsets.get(i)) && !effects.isOutlived(earlier);
                if (isCopy || earlier == offsets.get(i)) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean isReordered(Effects effects) {
        List<Integer> offsets = effects.offsets();
        for (int i = 1; i < offsets.size(); i++) {
            if (offsets.get(i) < offsets.get(i - 1) && !effects.isForgotten(offsets.get(i))) {
                return true;
            }
        }
        return false;
    }
}
