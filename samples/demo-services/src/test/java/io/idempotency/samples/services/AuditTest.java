package io.idempotency.samples.services;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class AuditTest {

    private final Entry one = new Entry(new UUID(1, 1), 100);
    private final Entry two = new Entry(new UUID(2, 2), 100);

    @Test
    void findsNothingWhereEveryEntryIsPostedOnce() {
        Audit audit = Audit.compare(List.of(one, two), List.of(two, one));

        assertThat(audit).isEqualTo(new Audit(2, 2, List.of(), List.of()));
    }

    @Test
    void findsALossAndADoubleThatWouldCancelOutAsCounts() {
        Audit audit = Audit.compare(List.of(one, two), List.of(one, one));

        assertThat(audit.lost()).containsExactly(two);
        assertThat(audit.doubled()).containsExactly(one);
    }

    @Test
    void takesAnotherAmountForALossAndADouble() {
        Entry wrong = new Entry(one.order(), 101);

        Audit audit = Audit.compare(List.of(one), List.of(wrong));

        assertThat(audit.lost()).containsExactly(one);
        assertThat(audit.doubled()).containsExactly(wrong);
    }
}
