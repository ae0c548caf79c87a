package io.idempotency.samples.rough;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.junit.jupiter.api.Test;

class AuditTest {

    private static final Order ORDER = new Order(1, List.of(), End.RETURNS);
    private static final Order POISON = new Order(1, List.of(), End.FAILS);

    @Test
    void findsNothingWhereBothHalvesAreThereOnce() {
        assertThat(audit(ORDER, false, "a0 a1")).isEqualTo(verdict(1, 0, 0, 0, 0, 0));
    }

    @Test
    void findsALoss() {
        assertThat(audit(ORDER, false, "")).isEqualTo(verdict(0, 0, 1, 0, 0, 0));
    }

    @Test
    void takesHalfAnEffectForALoss() {
        assertThat(audit(ORDER, false, "a0")).isEqualTo(verdict(0, 0, 1, 0, 0, 0));
    }

    @Test
    void takesForALossWhatOnlyTheHandlerCommitted() {
        assertThat(audit(ORDER, false, "A0 A1")).isEqualTo(verdict(0, 0, 1, 1, 0, 0));
    }

    @Test
    void takesForOneEffectWhatTheHandlerCommittedAndTheLibraryCompleted() {
        assertThat(audit(ORDER, false, "A0 a1")).isEqualTo(verdict(1, 0, 0, 0, 0, 0));
    }

    @Test
    void explainsADoubleThatTheHandlerCommittedItself() {
        assertThat(audit(ORDER, false, "A0 A1 b0 b1")).isEqualTo(verdict(1, 0, 0, 1, 0, 0));
    }

    @Test
    void explainsNoDoubleThatTheLibraryCommitted() {
        assertThat(audit(ORDER, false, "a0 a1 b0 b1")).isEqualTo(verdict(2, 0, 0, 0, 1, 0));
        assertThat(audit(ORDER, false, "a0 a1 a0 a1")).isEqualTo(verdict(2, 0, 0, 0, 1, 0));
        assertThat(audit(ORDER, false, "a0 a1 B0 b1")).isEqualTo(verdict(2, 0, 0, 0, 1, 0));
    }

    @Test
    void findsAnEffectOfWhatIsInQuarantine() {
        assertThat(audit(POISON, true, "")).isEqualTo(verdict(0, 1, 0, 0, 0, 0));
        assertThat(audit(POISON, true, "A0 A1")).isEqualTo(verdict(0, 1, 0, 1, 0, 0));
        assertThat(audit(POISON, true, "a0 a1")).isEqualTo(verdict(1, 1, 0, 0, 1, 0));
    }

    @Test
    void findsAMessageInQuarantineThatHasDoneNothingWrong() {
        assertThat(audit(ORDER, true, "")).isEqualTo(verdict(0, 1, 0, 0, 0, 1));
    }

    @Test
    void believesThatATransactionWasCommittedWhoseRowsAreAllEarly() {
        assertThat(withoutExamples(new Audit(rows("A0 A1"), Set.of("a")).of("x", List.of(ORDER), Set.of())))
                .isEqualTo(verdict(1, 0, 0, 0, 0, 0));
    }

    private static Verdict audit(Order order, boolean isQuarantined, String rows) {
        Audit audit = new Audit(rows(rows), Set.of());
        return withoutExamples(audit.of("x", List.of(order), isQuarantined ? Set.of(order.id()) : Set.of()));
    }

    private static Verdict withoutExamples(Verdict all) {
        return verdict(all.effects(), all.quarantined(), all.lost(), all.own(), all.unexplained(), all.blameless());
    }

    private static Verdict verdict(int effects, int quarantined, int lost, int own, int unexplained, int blameless) {
        return new Verdict("x", 1, effects, quarantined, lost, own, unexplained, blameless, List.of());
    }

    /** Reads rows, such as {@code A0 a1}: transaction and half, in capitals if an early commit made it final. */
    private static List<Effect> rows(String text) {
        return text.isEmpty()
                ? List.of()
                : Arrays.stream(text.split(" ", -1)).map(AuditTest::row).toList();
    }

    private static Effect row(String text) {
        String tx = text.substring(0, 1);
        String lower = tx.toLowerCase(Locale.ROOT);
        return new Effect("x", 1, lower, !tx.equals(lower), Integer.parseInt(text.substring(1)));
    }
}
