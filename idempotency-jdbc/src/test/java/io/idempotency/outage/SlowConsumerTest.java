package io.idempotency.outage;

import static io.idempotency.outage.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.Consumption;
import io.idempotency.Duplicate;
import io.idempotency.Outcome;
import io.idempotency.kafka.MessageIds;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A consumer that outlives {@code max.poll.interval.ms}, so that its partition has a new owner when it goes on. */
@ExtendWith(LongOutage.class)
@Tag("rule-3.2")
@Tag("rule-3.8")
class SlowConsumerTest {

    private final Postgres postgres = Postgres.shared();
    private final Watch slowWatch = new Watch();
    private final Watch ownerWatch = new Watch();
    private final Gate gate = new Gate();

    @ParameterizedTest
    @ValueSource(strings = {"classic", "consumer"})
    void theNewOwnerWaitsForAZombieThatCommitsFirst(String protocol) {
        String topic = Kafka.topic(1);
        List<Entry> sent = new ArrayList<>();
        try (Ledger ledger = Ledger.open(Ledger.anyConsumer(), postgres.url(), 4);
                Service slow = slow(ledger, topic, protocol).start(slowWatch, (message, claim) -> {
                    ledger.enter(message);
                    gate.pass();
                })) {
            sent.add(Kafka.send(topic, 0, "slow"));
            gate.awaitArrival();
            try (Service owner = owner(ledger, topic, protocol)) {
                eventually().until(() -> ownerWatch.transients() > 0);
                gate.open();
                eventually().until(() -> ownerWatch.count(Outcome.DUPLICATE) > 0);
                sent.addAll(Kafka.send(topic, 0, "next", 5));
                eventually().until(() -> postgres.effects(ledger.consumer()).size() >= sent.size());
                eventually().until(() -> Kafka.committedOfFirst(slow.group()) == 6);
                assertThat(owner.failure()).isEmpty();
            }
            assertThat(slow.failure()).isEmpty();
            Entry.assertSame(postgres.effects(ledger.consumer()), sent);
            assertThat(slowWatch.of("slow"))
                    .first()
                    .extracting(Consumption::outcome)
                    .isEqualTo(Outcome.PROCESSED);
            assertThat(ownerWatch.duplicates()).containsOnly(Duplicate.Kind.REDELIVERY);
            slowWatch.assertNothingCounted();
            ownerWatch.assertNothingCounted();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"classic", "consumer"})
    void aZombieThatClaimsLateSeesADuplicate(String protocol) {
        String topic = Kafka.topic(1);
        List<Entry> sent = new ArrayList<>();
        try (Ledger ledger = Ledger.open(Ledger.anyConsumer(), postgres.url(), 4);
                Service slow = slow(ledger, topic, protocol)
                        .with(builder -> builder.messageId(message -> {
                            gate.pass();
                            return MessageIds.defaults().messageId(message);
                        }))
                        .start(slowWatch, (message, claim) -> ledger.enter(message))) {
            sent.add(Kafka.send(topic, 0, "slow"));
            gate.awaitArrival();
            try (Service owner = owner(ledger, topic, protocol)) {
                eventually().until(() -> ownerWatch.count(Outcome.PROCESSED) > 0);
                gate.open();
                eventually().until(() -> slowWatch.count(Outcome.DUPLICATE) > 0);
                sent.addAll(Kafka.send(topic, 0, "next", 5));
                eventually().until(() -> postgres.effects(ledger.consumer()).size() >= sent.size());
                eventually().until(() -> Kafka.committedOfFirst(slow.group()) == 6);
                assertThat(owner.failure()).isEmpty();
            }
            assertThat(slow.failure()).isEmpty();
            Entry.assertSame(postgres.effects(ledger.consumer()), sent);
            assertThat(slowWatch.of("slow")).extracting(Consumption::outcome).containsOnly(Outcome.DUPLICATE);
            assertThat(slowWatch.duplicates()).containsOnly(Duplicate.Kind.REDELIVERY);
            slowWatch.assertNothingCounted();
            ownerWatch.assertNothingCounted();
        }
    }

    private static Service.Setup slow(Ledger ledger, String topic, String protocol) {
        return Service.of(ledger, topic).property("group.protocol", protocol).property("max.poll.interval.ms", 3_000);
    }

    private Service owner(Ledger ledger, String topic, String protocol) {
        return Service.of(ledger, topic)
                .property("group.protocol", protocol)
                .start(ownerWatch, (message, claim) -> ledger.enter(message));
    }
}
