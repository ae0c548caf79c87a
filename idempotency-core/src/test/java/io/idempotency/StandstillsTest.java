package io.idempotency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.kafka.KafkaRecords;
import io.idempotency.memory.MemoryStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.StandStillException;
import io.idempotency.store.TransientStoreException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What is known of partitions that make no progress. */
class StandstillsTest {

    private static final Instant NOON = Instant.parse("2026-11-28T12:00:00Z");

    private final AtomicLong nanoTime = new AtomicLong();
    private final Standstills standstills = new Standstills(nanoTime::get, () -> NOON.plusNanos(nanoTime.get()));
    private final IdempotentConsumer<ConsumerRecord<Object, Object>> consumer =
            billing().build();

    private IdempotentConsumerBuilder<ConsumerRecord<Object, Object>> billing() {
        return KafkaRecords.<Object, Object>consumer("billing")
                .store(MemoryStore.create())
                .failures(FailurePolicy.leaveToCaller())
                .listener(standstills);
    }

    private static ConsumerRecord<Object, Object> record(String id, long offset) {
        ConsumerRecord<Object, Object> record = new ConsumerRecord<>("orders", 0, offset, "k", "v");
        record.headers().add("message-id", id.getBytes(StandardCharsets.UTF_8));
        return record;
    }

    private void consume(String id, long offset, RuntimeException... thrown) {
        consumer.consumeAll(List.of(record(id, offset)), (record, claim) -> {
            if (thrown.length > 0) {
                throw thrown[0];
            }
        });
    }

    private void pass(Duration time) {
        nanoTime.addAndGet(time.toNanos());
    }

    private void losePatience() {
        pass(Standstills.PATIENCE.plusSeconds(1));
    }

    @Test
    void knowsTheConsumersThatWereBuilt() {
        assertThat(standstills.consumers()).containsExactly("billing");
        assertThat(standstills.all()).isEmpty();
    }

    @Test
    @Tag("rule-7.11")
    void tellsWhichPartitionStandsStillSinceWhenAndWhy() {
        consume("secret", 7, new IllegalStateException("around it", new IOException("no such account")));
        assertThat(standstills.all()).singleElement().matches(each -> !each.isLasting());

        losePatience();

        assertThat(standstills.all())
                .containsExactly(new Standstill(
                        new MessageId("billing", "secret"),
                        new Position("orders", 0, 7),
                        Standstill.Reason.FAILURE,
                        "java.io.IOException",
                        NOON,
                        true));
        assertThat(standstills.lasting("billing", Standstill.Reason.FAILURE)).isEqualTo(1);
        assertThat(standstills.lasting("billing", Standstill.Reason.TRANSIENT)).isZero();
        assertThat(standstills.lasting("mails", Standstill.Reason.FAILURE)).isZero();
    }

    @Test
    @Tag("rule-7.3")
    void tellsOfTransientFailuresThatDoNotPass() {
        consume("a", 0, new TransientStoreException("signal"));
        losePatience();
        consume("a", 0, new TransientStoreException("signal"));

        assertThat(standstills.all())
                .singleElement()
                .matches(each -> each.isLasting()
                        && each.reason() == Standstill.Reason.TRANSIENT
                        && each.why().equals(TransientStoreException.class.getName()));
    }

    @Test
    @Tag("rule-7.5")
    void tellsOfAFailureThatDoesNotSayWhatItIs() {
        consume("a", 0, new IllegalStateException() {
            @Override
            public String getMessage() {
                throw new IllegalStateException("no message");
            }
        });

        assertThat(standstills.all()).singleElement().matches(each -> each.why().contains("StandstillsTest"));
    }

    @Test
    @Tag("rule-7.8")
    void forgetsAPartitionThatSomebodyElseConsumes() {
        consume("a", 0, new IllegalStateException("no such account"));

        standstills.onRevoked("billing", "orders", 0);

        assertThat(standstills.all()).isEmpty();
    }

    @Test
    void tellsOfAPartitionWhoseStoreCannotBeUsed() {
        IdempotentConsumer<ConsumerRecord<Object, Object>> broken = billing()
                .transactions(work -> {
                    throw new IllegalStateException("no tables");
                })
                .build();
        assertThatThrownBy(() -> broken.consumeAll(List.of(record("a", 0)), (record, claim) -> {}))
                .hasMessageContaining("no tables");

        assertThat(standstills.all())
                .singleElement()
                .matches(each -> each.why().equals("java.lang.IllegalStateException")
                        && each.reason() == Standstill.Reason.TRANSIENT);
    }

    @Test
    void forgetsAPartitionThatGoesOn() {
        consume("a", 0, new IllegalStateException("no such account"));

        consume("a", 0);

        assertThat(standstills.all()).isEmpty();
    }

    @Test
    void isPatientWithAPartitionThatFailsAtAnotherMessage() {
        consume("a", 0, new IllegalStateException("no"));
        losePatience();
        consume("b", 1, new IllegalStateException("no"));

        assertThat(standstills.all()).singleElement().matches(each -> !each.isLasting());
    }

    @Test
    @Tag("rule-1.17")
    void tellsOfAPartitionThatTriesOneMessageAfterAnother() {
        IdempotentConsumer<ConsumerRecord<Object, Object>> once = billing()
                .level(ConsistencyLevel.AT_MOST_ONCE)
                .failures(FailurePolicy.quarantineAfter(1))
                .standStillAfter(1)
                .build();
        once.consumeAll(List.of(record("a", 0), record("b", 1)), (record, claim) -> {
            throw new IllegalStateException("down");
        });
        losePatience();
        assertThat(standstills.all())
                .singleElement()
                .matches(each -> each.isLasting()
                        && each.reason() == Standstill.Reason.REFUSED
                        && each.why()
                                .contains(
                                        "1 messages in a row failed in the same way (java.lang.IllegalStateException"));

        standstills.onConsumption(trial("b", 1, Outcome.QUARANTINED));
        assertThat(standstills.all()).isEmpty();
        standstills.onConsumption(trial("c", 2, Outcome.RELEASED));
        assertThat(standstills.all()).singleElement().matches(Standstill::isLasting);
    }

    private static Consumption trial(String id, long offset, Outcome outcome) {
        return new Consumption(
                ConsistencyLevel.AT_MOST_ONCE,
                new Delivery(new MessageId("billing", id), new Position("orders", 0, offset)),
                outcome,
                1,
                Optional.empty(),
                Optional.of(new IllegalStateException("down")),
                0,
                0);
    }

    @Test
    @Tag("rule-8.12")
    void tellsTheReasonThatTheStoreNames() {
        IdempotentConsumer<ConsumerRecord<Object, Object>> refused = billing()
                .transactions(work -> {
                    throw new StandStillException("offsets of orders-0 were set back to 0", "what to choose");
                })
                .build();
        refused.consumeAll(List.of(record("secret", 0)), (record, claim) -> {});

        assertThat(standstills.all())
                .singleElement()
                .matches(each -> each.why().equals("offsets of orders-0 were set back to 0")
                        && each.reason() == Standstill.Reason.REFUSED);
    }
}
