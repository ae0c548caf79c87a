package io.idempotency.outage;

import static io.idempotency.outage.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.ConsistencyLevel;
import io.idempotency.Outcome;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A process that is stopped inside its handler while it holds a lease. */
@ExtendWith(LongOutage.class)
@Tag("rule-3.5")
class LateOwnerTest {

    private static final int LEASED = 0;
    private static final int PROCESSED = 2;

    private final Postgres postgres = Postgres.shared();
    private final Watch watch = new Watch();
    private final List<Integer> attempts = new ArrayList<>();

    @ParameterizedTest
    @ValueSource(strings = {ChildConsumer.GO_ON, ChildConsumer.FAIL})
    void canNeitherRenewNorCompleteNorReleaseALeaseThatWasTaken(String end) {
        String topic = Kafka.topic(1);
        Gate gate = new Gate();
        try (Ledger ledger = Ledger.open(Ledger.anyConsumer(), postgres.url(), 3);
                ChildProcess child =
                        ChildProcess.start(topic, ledger.consumer(), postgres.url(), ConsistencyLevel.AT_LEAST_ONCE)) {
            String group = child.awaitLine("group").substring("group ".length());
            Entry sent = Kafka.send(topic, 0, "leased");
            child.awaitLine("handling leased attempt 1");
            child.freeze();
            Service owner = Service.of(ledger, topic)
                    .with(builder ->
                            builder.level(ConsistencyLevel.AT_LEAST_ONCE).lease(ChildConsumer.LEASE))
                    .start(watch, (message, claim) -> {
                        attempts.add(claim.attempt());
                        gate.pass();
                        ledger.enter(message);
                    });
            try (owner) {
                gate.awaitArrival();
                child.thaw();
                child.tell(end);
                eventually().until(() -> Kafka.members(group).size() == 2);

                assertThat(status(ledger)).isEqualTo(LEASED);
                assertThat(attempt(ledger)).isEqualTo(2);

                gate.open();
                eventually().until(() -> watch.count(Outcome.PROCESSED) > 0);
                assertThat(status(ledger)).isEqualTo(PROCESSED);
                assertThat(attempt(ledger)).isEqualTo(2);
            }
            eventually().until(() -> Kafka.committedOfFirst(group) == 1);
            assertThat(attempts).containsExactly(2);
            assertThat(child.said()).noneMatch(line -> line.contains("PROCESSED") || line.contains("QUARANTINED"));
            Entry.assertSame(postgres.effects(ledger.consumer()), List.of(sent));
            watch.assertNothingCounted();
        }
    }

    private long status(Ledger ledger) {
        return postgres.number("select state >> 29 from idempotency_message" + of(ledger));
    }

    private long attempt(Ledger ledger) {
        return postgres.number("select state >> 16 & 8191 from idempotency_message" + of(ledger));
    }

    private static String of(Ledger ledger) {
        return " where consumer = (select id from idempotency_name where name = '" + ledger.consumer() + "')";
    }
}
