package io.idempotency.testkit.faults;

import io.idempotency.ConsistencyLevel;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Compares the effects of a scenario with those of an undisturbed delivery, and says in one sentence what is wrong.
 *
 * @param expected what an undisturbed delivery changes
 * @param actual what the scenario changed
 */
record Verdict(
        Scenario scenario,
        Subject subject,
        History history,
        Map<String, BigDecimal> expected,
        Map<String, BigDecimal> actual) {

    /** Keys differ from message to message, so only the numbers are compared. */
    boolean isRight() {
        return numbers(expected).equals(numbers(actual));
    }

    static List<BigDecimal> numbers(Map<String, BigDecimal> counts) {
        return counts.values().stream()
                .map(BigDecimal::stripTrailingZeros)
                .sorted()
                .toList();
    }

    private static BigDecimal sum(Map<String, BigDecimal> counts) {
        return counts.values().stream().reduce(BigDecimal.ZERO, BigDecimal::add).abs();
    }

    /** Returns whether there are fewer effects than expected. */
    boolean isLost() {
        return sum(actual).compareTo(sum(expected)) < 0;
    }

    /** Returns the failure of the test. */
    AssertionError failure() {
        return new AssertionError(head() + what() + ". " + told() + why());
    }

    /** Returns the failure of a test whose message is settled without all of its effects, before it is delivered again. */
    AssertionError settledWithout() {
        return new AssertionError(head() + what() + ", although it is settled: nobody delivers it again. "
                + "At its first delivery " + scenario.past() + ".\n" + history + why());
    }

    private String what() {
        return actual.isEmpty()
                ? " lost the effect: 0 instead of " + usual()
                : " had " + text(actual) + (text(actual).equals("1") ? " effect" : " effects") + " instead of "
                        + usual();
    }

    /** Returns the failure of a test whose message was not settled. */
    NotSettledError notSettled(String how) {
        List<String> hints = new ArrayList<>(history.remarks());
        if (history.level()
                        .filter(level -> level == ConsistencyLevel.AT_LEAST_ONCE)
                        .isPresent()
                && scenario.fault() != Fault.NONE) {
            hints.add(
                    "The dead process may hold a lease on the message. Let leases of tests be short: idempotency.lease=200ms, or lease(..)"
                            + " of the consumer");
        }
        String met = scenario.fault() == Fault.NONE
                ? "Nothing failed.\n"
                : "At its first delivery " + scenario.past() + ".\n";
        return new NotSettledError(head() + " " + how + ". " + met + history + because(hints));
    }

    /** Thrown if a message was not settled. Later messages of its partition wait behind it. */
    static final class NotSettledError extends AssertionError {

        private static final long serialVersionUID = 1L;

        NotSettledError(String message) {
            super(message);
        }
    }

    /**
     * Returns the failure of a test that counts no effect at all.
     *
     * @param isRepeated whether the message before it had an effect
     */
    AssertionError noEffect(int handlerCalls, boolean isRepeated) {
        String why = isRepeated
                ? "The first message of this test had one: take what has to be new in each message from id()"
                : handlerCalls == 0
                        ? "The handler was not called through the kit. If it was called, effects(..) counts something else"
                        : "Either the handler does nothing, or effects(..) counts something else";
        return new AssertionError(head()
                + " had no effect, although nothing failed: effects(..) counts the same before and after its delivery.\n"
                + history + "\nWhy: "
                + history.quarantine().map(Verdict::quarantined).orElse(why) + ".");
    }

    private static String quarantined(String failure) {
        return "The message is in quarantine after " + failure;
    }

    private String head() {
        return (subject.count() == 1 ? "Message " : "The messages ") + subject.messages();
    }

    private String told() {
        String again = "delivered again, at the same offset and as a copy at a new one";
        return (scenario.fault() == Fault.NONE
                        ? "It was " + again + "; nothing failed.\n"
                        : "At its first delivery " + scenario.past() + "; then it was " + again + ".\n")
                + history;
    }

    private static String text(Map<String, BigDecimal> counts) {
        return counts.entrySet().stream()
                .map(each -> each.getKey().equals(EffectCount.ALL)
                        ? each.getValue().toPlainString()
                        : each.getValue().toPlainString() + " of " + each.getKey())
                .collect(Collectors.joining(", "));
    }

    private String usual() {
        return expected.values().stream().map(BigDecimal::toPlainString).collect(Collectors.joining(", "));
    }

    private String why() {
        List<String> hints = new ArrayList<>(history.remarks());
        history.quarantine().ifPresent(failure -> hints.add(quarantined(failure)));
        if (history.ids().size() > subject.count()) {
            hints.add("The copies of one message have different ids, " + String.join(" and ", history.ids())
                    + ": take the id from the message, not from its position");
        } else if (!isLost()) {
            hints.add(doubled());
        } else if (scenario.fault() != Fault.NONE) {
            hints.add(lost());
        }
        return because(hints);
    }

    private static String because(List<String> hints) {
        hints.removeIf(String::isEmpty);
        return hints.isEmpty() ? "" : "\nWhy: " + String.join(".\n     ", hints) + ".";
    }

    private String doubled() {
        if (history.level()
                .filter(level -> level == ConsistencyLevel.AT_LEAST_ONCE)
                .isPresent()) {
            return "At AT_LEAST_ONCE an effect may repeat. Pass the message id on and count what the receiver makes of a repeated call,"
                    + " or use STRONG";
        }
        if (!history.remarks().isEmpty()) {
            return "";
        }
        return switch (scenario.fault()) {
            case NONE, DIES_BEFORE_OFFSET_COMMIT, ANSWER_LOST ->
                "Nothing in the transaction of the effect remembers the message";
            default ->
                "The effect is not in the transaction that was rolled back: it is in another transaction, on another connection, in"
                        + " memory or in another system";
        };
    }

    private String lost() {
        if (history.level()
                .filter(level -> level == ConsistencyLevel.AT_MOST_ONCE)
                .isPresent()) {
            return "At AT_MOST_ONCE an effect may be missing after a failure";
        }
        if (scenario.fault() == Fault.DIES_AFTER_OFFSET_COMMIT) {
            return "The offset is committed before the work is done. Acknowledge when it is done";
        }
        return !history.hasSwallowed() && history.quarantine().isEmpty()
                ? "Something that the rollback did not take back says that the message is done: a set or cache in memory that is filled"
                        + " before the commit, or another transaction. Or an exception is swallowed, an error handler gives up, or the offset is"
                        + " committed before the work is done"
                : "";
    }
}
