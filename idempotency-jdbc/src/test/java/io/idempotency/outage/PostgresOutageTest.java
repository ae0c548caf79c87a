package io.idempotency.outage;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A database that is down for a minute costs a minute. */
@ExtendWith(LongOutage.class)
@Tag("rule-1.4")
class PostgresOutageTest {

    @ParameterizedTest
    @ValueSource(strings = {"classic", "consumer"})
    void everyMessageHasItsEffectOnceAndInOrder(String protocol) {
        LongOutage.Findings seen = LongOutage.findings(protocol);

        Entry.assertSame(seen.effects(), seen.sent());
        assertThat(seen.committed()).hasSize(4);
    }

    @ParameterizedTest
    @ValueSource(strings = {"classic", "consumer"})
    void theOutageIsSeenAndNoAttemptIsCounted(String protocol) {
        Watch watch = LongOutage.findings(protocol).watch();

        assertThat(watch.transients()).isGreaterThan(4);
        watch.assertNothingCounted();
    }

    @ParameterizedTest
    @ValueSource(strings = {"classic", "consumer"})
    void theConsumerPollsOnAndStaysInItsGroup(String protocol) {
        LongOutage.Findings seen = LongOutage.findings(protocol);

        assertThat(seen.memberAfter()).isEqualTo(seen.memberBefore()).hasSize(1);
        assertThat(seen.rebalancesAfter()).isEqualTo(seen.rebalancesBefore());
    }
}
