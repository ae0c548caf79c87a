package io.idempotency.outage;

import static io.idempotency.outage.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.Consumption;
import io.idempotency.Duplicate;
import io.idempotency.Outcome;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** One message sent to two partitions, whose consumers meet it at the same time. */
@ExtendWith(LongOutage.class)
@Tag("rule-3.2")
class CopiesTest {

    private static final String WAITING =
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%message (at_micros%'";

    private final Postgres postgres = Postgres.shared();

    @Test
    void theSecondCopyWaitsForTheFirstAndIsADuplicate() {
        String topic = Kafka.topic(2);
        Gate gate = new Gate();
        Watch watch = new Watch();
        try (Ledger ledger = Ledger.open(Ledger.anyConsumer(), postgres.url(), 4);
                Service one = service(ledger, topic, watch, gate);
                Service other = service(ledger, topic, watch, gate)) {
            Kafka.awaitMembersWithOnePartition(one.group(), 2);
            Entry first = Kafka.send(topic, 0, "copy");
            gate.awaitArrival();
            Kafka.send(topic, 1, "copy");
            eventually().until(() -> postgres.number(WAITING) > 0);
            gate.open();

            eventually().until(() -> watch.count(Outcome.DUPLICATE) > 0);
            Entry.assertSame(postgres.effects(ledger.consumer()), List.of(first));
            Consumption duplicate = watch.of("copy").stream()
                    .filter(seen -> seen.outcome() == Outcome.DUPLICATE)
                    .findFirst()
                    .orElseThrow();
            assertThat(duplicate.delivery().position().partition()).isEqualTo(1);
            assertThat(duplicate.duplicate().orElseThrow()).satisfies(why -> {
                assertThat(why.kind()).isEqualTo(Duplicate.Kind.RESEND);
                assertThat(why.first().partition()).isZero();
            });
            watch.assertNothingCounted();
            assertThat(other.failure()).isEmpty();
        }
    }

    private static Service service(Ledger ledger, String topic, Watch watch, Gate gate) {
        return Service.of(ledger, topic).start(watch, (message, claim) -> {
            ledger.enter(message);
            gate.pass();
        });
    }
}
