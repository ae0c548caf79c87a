package io.idempotency.crash;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.ConsistencyLevel;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** The comparison of observations with promises finds differences. */
class PromiseTest {

    private static final Seen.Fate ONCE = new Seen.Fate(1, 1, false);
    private static final Seen.Fate ONCE_AFTER_ROLLBACK = new Seen.Fate(2, 1, false);
    private static final Seen.Fate TWICE = new Seen.Fate(2, 2, false);
    private static final Seen.Fate MISSING = new Seen.Fate(1, 0, false);
    private static final Seen.Fate QUARANTINED = new Seen.Fate(1, 1, true);

    private final Cell strong = new Cell(ConsistencyLevel.STRONG, CrashPoint.AFTER_EFFECT);
    private final Cell atLeastOnce = new Cell(ConsistencyLevel.AT_LEAST_ONCE, CrashPoint.AFTER_EFFECT);

    @Test
    void acceptsWhatIsPromised() {
        assertThat(Promise.broken(strong, seen(2, ONCE_AFTER_ROLLBACK, ONCE))).isEmpty();
        assertThat(Promise.broken(atLeastOnce, seen(2, TWICE, ONCE))).isEmpty();
        assertThat(Promise.broken(atLeastOnce, seen(2, TWICE, TWICE))).isEmpty();
    }

    @Test
    void findsAnEffectThatIsDoubledOrMissing() {
        assertThat(Promise.broken(strong, seen(2, TWICE, ONCE))).hasSize(1);
        assertThat(Promise.broken(strong, seen(2, MISSING, ONCE))).hasSize(1);
    }

    @Test
    void findsHarmDoneToMessagesThatWereNotHit() {
        assertThat(Promise.broken(strong, seen(2, ONCE_AFTER_ROLLBACK, TWICE)))
                .hasSize(Cell.MESSAGES.size() - 1)
                .allSatisfy(broken -> assertThat(broken).contains("doubled"));
        assertThat(Promise.broken(atLeastOnce, seen(2, TWICE, MISSING)))
                .hasSize(Cell.MESSAGES.size() - 1)
                .allSatisfy(broken -> assertThat(broken).contains("lost"));
        assertThat(Promise.broken(atLeastOnce, seen(2, TWICE, QUARANTINED)))
                .hasSize(Cell.MESSAGES.size() - 1)
                .allSatisfy(broken -> assertThat(broken).contains("quarantined"));
    }

    @Test
    void findsAProcessThatDidNotCrash() {
        assertThat(Promise.broken(strong, seen(1, ONCE_AFTER_ROLLBACK, ONCE))).hasSize(1);
    }

    private static Seen seen(int lives, Seen.Fate target, Seen.Fate others) {
        Map<String, Seen.Fate> fates = new TreeMap<>();
        Cell.MESSAGES.forEach(message -> fates.put(message, message.equals(Cell.TARGET) ? target : others));
        return new Seen(lives, fates);
    }
}
