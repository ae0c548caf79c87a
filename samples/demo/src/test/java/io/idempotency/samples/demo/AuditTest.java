package io.idempotency.samples.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class AuditTest {

    private static final Payment FIRST = new Payment(new UUID(0, 1), 1, 2, 500);
    private static final Payment SECOND = new Payment(new UUID(0, 2), 2, 1, 700);
    private static final List<Payment> BOTH = List.of(FIRST, SECOND);

    @Test
    void findsNothingWhereEveryPaymentIsPostedOnce() {
        Audit audit = Audit.compare(BOTH, List.of(SECOND, FIRST), Set.of());

        assertThat(audit).isEqualTo(new Audit(2, 2, 0, List.of(), List.of()));
    }

    @Test
    void findsALostAndADoubledPaymentThatCancelOutInTheCount() {
        Audit audit = Audit.compare(BOTH, List.of(FIRST, FIRST), Set.of());

        assertThat(audit.lost()).containsExactly(SECOND);
        assertThat(audit.doubled()).containsExactly(FIRST);
    }

    @Test
    void takesAWrongAmountForALostPaymentAndADoubledPosting() {
        Payment wrong = new Payment(FIRST.id(), FIRST.from(), FIRST.to(), FIRST.cents() + 1);

        Audit audit = Audit.compare(BOTH, List.of(wrong, SECOND), Set.of());

        assertThat(audit.lost()).containsExactly(FIRST);
        assertThat(audit.doubled()).containsExactly(wrong);
    }

    @Test
    void countsEveryFurtherPosting() {
        Audit audit = Audit.compare(BOTH, List.of(FIRST, FIRST, FIRST, SECOND), Set.of());

        assertThat(audit.doubled()).containsExactly(FIRST, FIRST);
    }

    @Test
    void doesNotMissAQuarantinedPaymentAndFindsItsPosting() {
        Set<UUID> quarantine = Set.of(FIRST.id());

        assertThat(Audit.compare(BOTH, List.of(SECOND), quarantine))
                .isEqualTo(new Audit(2, 1, 1, List.of(), List.of()));
        assertThat(Audit.compare(BOTH, List.of(SECOND, FIRST), quarantine).doubled())
                .containsExactly(FIRST);
    }

    @Test
    void replaysBalances() {
        assertThat(Audit.replay(BOTH, 3, 1_000)).isEqualTo(Map.of(0, 1_000L, 1, 1_200L, 2, 800L));
    }
}
