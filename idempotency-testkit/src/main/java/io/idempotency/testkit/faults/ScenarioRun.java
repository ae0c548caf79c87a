package io.idempotency.testkit.faults;

import java.math.BigDecimal;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.opentest4j.TestAbortedException;

/** Runs one scenario: delivers a message, lets the fault happen, delivers the message twice more, and compares the effects. */
final class ScenarioRun {

    /** What an undisturbed delivery does: its places for faults, and its effects. */
    record Undisturbed(Scenario.Seen seen, Map<String, BigDecimal> effects) {

        /**
         * Requires that another message had the same effects.
         *
         * @throws MisuseException if not, because then nobody knows what to expect
         */
        void requireAlike(Undisturbed other) {
            if (!Verdict.numbers(effects).equals(Verdict.numbers(other.effects))) {
                throw new MisuseException("Two messages of this test have different effects, although nothing failed: "
                        + other.effects.values() + " and " + effects.values()
                        + ". Send messages that are alike, and count what only they change");
            }
        }
    }

    private static final long LATE_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    private final Scenario scenario;
    private final Probe probe;
    private final Subject subject;
    private final EffectCount effects;
    private final History history = new History();

    ScenarioRun(Scenario scenario, Probe probe, Subject subject, EffectCount effects) {
        this.scenario = scenario;
        this.probe = probe;
        this.subject = subject;
        this.effects = effects;
    }

    /**
     * Runs the scenario in which nothing fails.
     *
     * @throws AssertionError if the message has no effect, or more after its further deliveries
     */
    Undisturbed undisturbed() {
        Map<String, BigDecimal> before = effects.count();
        first(Map.of());
        Scenario.Seen seen = probe.seen();
        Map<String, BigDecimal> once = change(before, change -> !change.isEmpty());
        if (once.isEmpty()) {
            throw verdict(Map.of(), Map.of()).noEffect(seen.handlerCalls(), scenario.number() > 1);
        }
        again(before, once);
        return new Undisturbed(seen, once);
    }

    /**
     * Runs a scenario with a fault.
     *
     * @throws AssertionError if the message has fewer or more effects than in an undisturbed delivery
     * @throws TestAbortedException if the code did not come to the place of the fault this time
     */
    void disturbed(Map<String, BigDecimal> expected) {
        Map<String, BigDecimal> before = effects.count();
        first(expected);
        if (!probe.hasHappened()) {
            throw new TestAbortedException("This time the code did not come so far: " + scenario.title());
        }
        requireNotLost(before, expected);
        again(before, expected);
    }

    /** The copies of this test would make up for a lost effect. But nobody else sends any. */
    private void requireNotLost(Map<String, BigDecimal> before, Map<String, BigDecimal> expected) {
        Verdict verdict = verdict(
                expected, change(before, change -> !verdict(expected, change).isLost()));
        if (verdict.isLost()) {
            throw verdict.settledWithout();
        }
    }

    private void first(Map<String, BigDecimal> expected) {
        probe.begin(scenario, history, subject.hasHandler());
        try {
            subject.deliver();
        } catch (Subject.NotSettledException e) {
            throw verdict(expected, Map.of()).notSettled(e.how());
        } finally {
            probe.firstDelivered();
        }
    }

    private void again(Map<String, BigDecimal> before, Map<String, BigDecimal> expected) {
        try {
            subject.deliverAgain();
        } catch (Subject.NotSettledException e) {
            throw verdict(expected, Map.of()).notSettled(e.how());
        }
        Verdict verdict = verdict(
                expected, change(before, change -> !verdict(expected, change).isLost()));
        if (!verdict.isRight()) {
            throw verdict.failure();
        }
    }

    /** Returns the change of the effects. One that is not enough gets a moment more, because an effect may come later than its message is settled. */
    private Map<String, BigDecimal> change(
            Map<String, BigDecimal> before, Predicate<Map<String, BigDecimal>> isEnough) {
        long end = System.nanoTime() + LATE_NANOS;
        Map<String, BigDecimal> change = EffectCount.change(before, effects.count());
        while (!isEnough.test(change) && System.nanoTime() - end < 0) {
            LockSupport.parkNanos(PAUSE_NANOS);
            change = EffectCount.change(before, effects.count());
        }
        return change;
    }

    /** Returns what a test that passes should tell all the same; empty if nothing. */
    Optional<String> note() {
        return history.hasSwallowed()
                ? Optional.of(
                        "The handler swallowed the exception of a statement. The effect is right all the same, because the"
                                + " transaction did not commit and the message was delivered again")
                : Optional.empty();
    }

    private Verdict verdict(Map<String, BigDecimal> expected, Map<String, BigDecimal> actual) {
        return new Verdict(scenario, subject, history, expected, actual);
    }
}
