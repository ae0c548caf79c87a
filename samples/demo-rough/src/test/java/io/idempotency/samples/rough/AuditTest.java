package io.idempotency.samples.rough;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class AuditTest {

    private static final Order ORDER = new Order(1, List.of(), End.RETURNS);
    private static final Order POISON = new Order(1, List.of(), End.FAILS);

    @Test
    void findsNothingWhereBothHalvesAreThereOnce() {
        assertThat(audit(ORDER, false, whole("a"))).isEqualTo(verdict(1, 0, 0, 0, 0, 0));
    }

    @Test
    void findsALoss() {
        assertThat(audit(ORDER, false)).isEqualTo(verdict(0, 0, 1, 0, 0, 0));
    }

    @Test
    void takesHalfAnEffectForALoss() {
        assertThat(audit(ORDER, false, List.of(half("a", false, 0)))).isEqualTo(verdict(0, 0, 1, 0, 0, 0));
    }

    @Test
    void takesForALossWhatOnlyTheHandlerCommitted() {
        assertThat(audit(ORDER, false, early("a"))).isEqualTo(verdict(0, 0, 1, 1, 0, 0));
    }

    @Test
    void takesForOneEffectWhatTheHandlerCommittedAndTheLibraryCompleted() {
        assertThat(audit(ORDER, false, List.of(half("a", true, 0), half("a", false, 1))))
                .isEqualTo(verdict(1, 0, 0, 0, 0, 0));
    }

    @Test
    void explainsADoubleThatTheHandlerCommittedItself() {
        assertThat(audit(ORDER, false, early("a"), whole("b"))).isEqualTo(verdict(1, 0, 0, 1, 0, 0));
    }

    @Test
    void explainsNoDoubleThatTheLibraryCommitted() {
        assertThat(audit(ORDER, false, whole("a"), whole("b"))).isEqualTo(verdict(2, 0, 0, 0, 1, 0));
        assertThat(audit(ORDER, false, whole("a"), whole("a"))).isEqualTo(verdict(2, 0, 0, 0, 1, 0));
        assertThat(audit(ORDER, false, whole("a"), List.of(half("b", true, 0), half("b", false, 1))))
                .isEqualTo(verdict(2, 0, 0, 0, 1, 0));
    }

    @Test
    void findsAnEffectOfWhatIsInQuarantine() {
        assertThat(audit(POISON, true)).isEqualTo(verdict(0, 1, 0, 0, 0, 0));
        assertThat(audit(POISON, true, early("a"))).isEqualTo(verdict(0, 1, 0, 1, 0, 0));
        assertThat(audit(POISON, true, whole("a"))).isEqualTo(verdict(1, 1, 0, 0, 1, 0));
    }

    @Test
    void findsAMessageInQuarantineThatHasDoneNothingWrong() {
        assertThat(audit(ORDER, true)).isEqualTo(verdict(0, 1, 0, 0, 0, 1));
    }

    @Test
    void believesThatATransactionWasCommittedWhoseRowsAreAllEarly() {
        assertThat(withoutExamples(new Audit(early("a"), Set.of("a")).of("x", List.of(ORDER), Set.of())))
                .isEqualTo(verdict(1, 0, 0, 0, 0, 0));
    }

    @SafeVarargs
    private static Verdict audit(Order order, boolean isQuarantined, List<Effect>... rows) {
        Audit audit = new Audit(Arrays.stream(rows).flatMap(List::stream).toList(), Set.of());
        return withoutExamples(audit.of("x", List.of(order), isQuarantined ? Set.of(order.id()) : Set.of()));
    }

    private static Verdict withoutExamples(Verdict all) {
        return verdict(
                all.effects(), all.quarantined(), all.lost(), all.own(), all.unexplained(), all.blameless());
    }

    private static Verdict verdict(int effects, int quarantined, int lost, int own, int unexplained, int blameless) {
        return new Verdict("x", 1, effects, quarantined, lost, own, unexplained, blameless, List.of());
    }

    private static List<Effect> whole(String tx) {
        return Stream.of(0, 1).map(part -> half(tx, false, part)).toList();
    }

    private static List<Effect> early(String tx) {
        return Stream.of(0, 1).map(part -> half(tx, true, part)).toList();
    }

    private static Effect half(String tx, boolean isEarly, int part) {
        return new Effect("x", 1, tx, isEarly, part);
    }
}
