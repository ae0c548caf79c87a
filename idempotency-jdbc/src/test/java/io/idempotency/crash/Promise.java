package io.idempotency.crash;

import static io.idempotency.crash.Cell.ATTEMPTS;
import static io.idempotency.crash.Cell.MENDED_LIFE;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The promise of a level for the message that a crash hits.
 *
 * @param words the promise as the documentation says it
 * @param target the fate of that message
 * @param lives how many lives it takes until everything is settled
 */
record Promise(String words, Seen.Fate target, int lives) {

    /** The table of promises. */
    static Promise of(Cell cell) {
        return switch (cell.level()) {
            case STRONG -> strong(cell.point());
            case AT_LEAST_ONCE -> atLeastOnce(cell.point());
            case AT_MOST_ONCE -> atMostOnce(cell.point());
            case NONE -> none(cell.point());
        };
    }

    private static Promise strong(CrashPoint point) {
        return switch (point) {
            case BEFORE_CLAIM -> promise("handled once", 1, 1);
            case IN_HANDLER, AFTER_EFFECT, BEFORE_RECORDED -> promise("rolled back, handled once", 2, 1);
            case BEFORE_OFFSETS -> promise("redelivered, skipped", 1, 1);
            case MIDDLE_OF_BATCH -> promise("the whole batch is rolled back, then each message is handled once", 2, 1);
            // One call more than attempts: together with the others first, only then alone.
            case POISON -> quarantined("retried, rolled back each time, then quarantined", ATTEMPTS + 1, 0, 1);
            case DEADLY_POISON -> mended("repeats, rolled back each time, until it is mended", 1);
        };
    }

    private static Promise atLeastOnce(CrashPoint point) {
        return switch (point) {
            case BEFORE_CLAIM -> promise("handled once", 1, 1);
            case IN_HANDLER -> promise("handled again when the lease ends", 2, 1);
            case AFTER_EFFECT, BEFORE_RECORDED -> promise("handled again when the lease ends", 2, 2);
            case BEFORE_OFFSETS -> promise("redelivered, skipped", 1, 1);
            case MIDDLE_OF_BATCH -> promise("the whole batch is handled again when the leases end", 2, 1);
            case POISON -> quarantined("retried, then quarantined", ATTEMPTS, ATTEMPTS, 1);
            case DEADLY_POISON ->
                quarantined("attempts survive the crash, then quarantined", ATTEMPTS, ATTEMPTS, ATTEMPTS + 1);
        };
    }

    private static Promise atMostOnce(CrashPoint point) {
        return switch (point) {
            case BEFORE_CLAIM -> promise("handled once", 1, 1);
            case IN_HANDLER -> promise("not handled again: the effect is missing", 1, 0);
            case AFTER_EFFECT, BEFORE_RECORDED, DEADLY_POISON -> promise("not handled again", 1, 1);
            case BEFORE_OFFSETS -> promise("redelivered, skipped", 1, 1);
            case MIDDLE_OF_BATCH ->
                promise("claimed one by one: only the message that was being handled is missing", 1, 0);
            case POISON -> quarantined("recorded as failed, never repeated", 1, 1, 1);
        };
    }

    private static Promise none(CrashPoint point) {
        return switch (point) {
            case BEFORE_CLAIM -> promise("handled", 1, 1);
            case IN_HANDLER -> promise("handled again", 2, 1);
            case AFTER_EFFECT, BEFORE_RECORDED, BEFORE_OFFSETS -> promise("handled again", 2, 2);
            case MIDDLE_OF_BATCH -> promise("the whole batch is handled again", 2, 1);
            case POISON ->
                quarantined("retried by the caller's own policy, here with a quarantine", ATTEMPTS, ATTEMPTS, 1);
            case DEADLY_POISON -> mended("repeats until it is mended", MENDED_LIFE);
        };
    }

    private static Promise promise(String words, int calls, int effects) {
        return new Promise(words, new Seen.Fate(calls, effects, false), 2);
    }

    private static Promise quarantined(String words, int calls, int effects, int lives) {
        return new Promise(words, new Seen.Fate(calls, effects, true), lives);
    }

    private static Promise mended(String words, int effects) {
        return new Promise(words, new Seen.Fate(MENDED_LIFE, effects, false), MENDED_LIFE);
    }

    /** Returns the observations that differ from the promise. */
    static List<String> broken(Cell cell, Seen seen) {
        List<String> broken = new ArrayList<>();
        Promise promise = of(cell);
        compare(broken, "lives", promise.lives(), seen.lives());
        compare(broken, "fate of the message hit", promise.target(), seen.target());
        seen.others().forEach((message, fate) -> {
            String why = brokenFor(cell, message, fate);
            if (why != null) {
                broken.add("message " + message + ", which was not hit, " + why + ": " + fate);
            }
        });
        return broken;
    }

    /** The other messages: none is lost, and under the levels that do not repeat none is doubled. */
    private static @Nullable String brokenFor(Cell cell, String message, Seen.Fate fate) {
        if (fate.isQuarantined()) {
            return "is quarantined";
        }
        if (fate.effects() < 1) {
            return "is lost";
        }
        return switch (cell.level()) {
            case STRONG, AT_MOST_ONCE -> fate.effects() == 1 ? null : "is doubled";
            case AT_LEAST_ONCE, NONE -> {
                boolean isBefore = message.compareTo(Cell.TARGET) < 0;
                boolean isRepeated = cell.point() == CrashPoint.MIDDLE_OF_BATCH && isBefore;
                yield isRepeated && fate.effects() != 2 ? "is not handled again with its batch" : null;
            }
        };
    }

    private static void compare(List<String> broken, String what, Object promised, Object seen) {
        if (!promised.equals(seen)) {
            broken.add(what + ": promised " + promised + ", seen " + seen);
        }
    }
}
