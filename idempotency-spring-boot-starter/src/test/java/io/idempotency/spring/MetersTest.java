package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import io.idempotency.ConsistencyLevel;
import io.idempotency.Consumption;
import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.Outcome;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.memory.MemoryQuarantine;
import io.idempotency.memory.MemoryStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.StandStillException;
import io.idempotency.store.TransientStoreException;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.observation.ObservationRegistry;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.boot.health.contributor.Status;

/** What meters and health tell of consumptions. */
class MetersTest {

    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final AtomicLong nanoTime = new AtomicLong();
    private final Standstill standstill = new Standstill(nanoTime::get);
    private final IdempotentConsumer<ConsumerRecord<Object, Object>> consumer = KafkaRecords.<Object, Object>consumer(
                    "billing")
            .store(MemoryStore.create())
            .failures(FailurePolicy.leaveToCaller())
            .listener(new Meters(registry))
            .listener(standstill)
            .build();

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

    private long count(String outcome) {
        return registry.get(Meters.CONSUMPTIONS)
                .tags("consumer", "billing", "level", "strong", "outcome", outcome)
                .timer()
                .count();
    }

    @Test
    void countConsumptionsByConsumerLevelAndOutcome() {
        consume("a", 0);
        consume("b", 1);
        consume("a", 2);
        consume("c", 3, new IllegalStateException("no"));

        assertThat(count("processed")).isEqualTo(2);
        assertThat(count("duplicate")).isEqualTo(1);
        assertThat(count("failed")).isEqualTo(1);
    }

    @Test
    void areThereWithZeroBeforeAnythingHappens() {
        new Meters(registry).begin("billing", ConsistencyLevel.STRONG, false);

        for (String outcome : List.of(
                "processed", "duplicate", "failed", "quarantined", "quarantined_before", "expired", "in_progress")) {
            assertThat(count(outcome)).isZero();
        }
        assertThat(registry.getMeters())
                .hasSize(32)
                .allSatisfy(
                        meter -> assertThat(meter.getId().getTag("consumer")).isEqualTo("billing"))
                .allSatisfy(meter -> assertThat(meter.measure()).allMatch(measure -> measure.getValue() == 0));
        consume("a", 0, new TransientStoreException("deadlock"));
        consume("a", 0, new IllegalStateException("no"));
        consume("a", 0);
        consume("a", 1);
        assertThat(registry.getMeters()).hasSize(32);
    }

    /** Otherwise an alert on quarantines would fire at each rebalance. */
    @Test
    void tellAQuarantineFromARedeliveryOfItsMessage() {
        MemoryStore store = MemoryStore.create();
        IdempotentConsumer<ConsumerRecord<Object, Object>> quarantining = KafkaRecords.<Object, Object>consumer(
                        "billing")
                .store(store)
                .quarantine(new MemoryQuarantine(store))
                .failures(FailurePolicy.quarantineAfter(1))
                .listener(new Meters(registry))
                .build();
        for (int i = 0; i < 3; i++) {
            quarantining.consumeAll(List.of(record("poison", 7)), (record, claim) -> {
                throw new IllegalStateException("no");
            });
        }

        assertThat(count("quarantined")).isEqualTo(1);
        assertThat(count("quarantined_before")).isEqualTo(2);
    }

    @Test
    void countDuplicatesByKindWithTheirAge() {
        consume("a", 0);
        consume("a", 0);
        consume("a", 1);

        assertThat(registry.get(Meters.DUPLICATES)
                        .tag("kind", "redelivery")
                        .counter()
                        .count())
                .isEqualTo(1);
        assertThat(registry.get(Meters.DUPLICATES)
                        .tag("kind", "resend")
                        .counter()
                        .count())
                .isEqualTo(1);
        assertThat(registry.get(Meters.AGE)
                        .tag("consumer", "billing")
                        .summary()
                        .takeSnapshot()
                        .histogramCounts())
                .as("a minute to eight days")
                .hasSize(8)
                .allMatch(bucket -> bucket.count() == 2);
        assertThat(registry.get(Meters.AGE).tag("consumer", "billing").summary().count())
                .isEqualTo(2);
    }

    @Test
    void countTransientFailuresApart() {
        consume("a", 0, new TransientStoreException("deadlock"));

        assertThat(registry.get(Meters.TRANSIENT)
                        .tag("consumer", "billing")
                        .counter()
                        .count())
                .isEqualTo(1);
        assertThat(registry.find(Meters.CONSUMPTIONS).timer()).isNull();
    }

    @Test
    @Tag("rule-1.7")
    void countTransactionsThatAListenerCommittedItself() {
        new Meters(registry).onEarlyCommit(new Delivery(new MessageId("billing", "a"), new Position("orders", 0, 0)));

        assertThat(registry.get(Meters.EARLY)
                        .tag("consumer", "billing")
                        .counter()
                        .count())
                .isEqualTo(1);
    }

    @Test
    @Tag("rule-7.11")
    void healthTellsWhichPartitionStandsStillAndWhy() {
        consume("secret", 7, new IllegalStateException("around it", new java.io.IOException("no such account")));
        assertThat(standstill.health().getStatus()).isEqualTo(Status.UP);

        nanoTime.addAndGet(Standstill.PATIENCE.plus(Duration.ofSeconds(1)).toNanos());

        assertThat(standstill.health().getStatus()).isEqualTo(Status.DOWN);
        assertThat(standstill.health().getDetails())
                .containsOnly(entry("billing on orders-0", "stands still at orders-0@7 for 61 s: java.io.IOException"));
    }

    @Test
    @Tag("rule-7.3")
    void countTransientFailuresThatDoNotPass() {
        for (int i = 0; i < Consumption.MANY_TRANSIENT_FAILURES + 2; i++) {
            consume("a", 0, new TransientStoreException("signal"));
        }

        assertThat(registry.get(Meters.STUCK)
                        .tag("consumer", "billing")
                        .counter()
                        .count())
                .isEqualTo(3);
    }

    @Test
    @Tag("rule-7.3")
    void healthTellsOfTransientFailuresThatDoNotPass() {
        consume("a", 0, new TransientStoreException("signal"));
        nanoTime.addAndGet(Standstill.PATIENCE.plus(Duration.ofSeconds(1)).toNanos());
        consume("a", 0, new TransientStoreException("signal"));

        assertThat(standstill.health().getStatus()).isEqualTo(Status.DOWN);
        assertThat(standstill.health().getDetails().toString())
                .contains("orders-0@0", TransientStoreException.class.getName());
    }

    @Test
    @Tag("rule-7.5")
    void healthTellsOfAFailureThatDoesNotSayWhatItIs() {
        consume("a", 0, new IllegalStateException() {
            @Override
            public String getMessage() {
                throw new IllegalStateException("no message");
            }
        });
        nanoTime.addAndGet(Standstill.PATIENCE.plus(Duration.ofSeconds(1)).toNanos());

        assertThat(standstill.health().getDetails().toString()).contains("orders-0@0", "MetersTest");
    }

    @Test
    @Tag("rule-7.8")
    void healthForgetsAPartitionThatSomebodyElseConsumes() {
        consume("a", 0, new IllegalStateException("no such account"));
        nanoTime.addAndGet(Standstill.PATIENCE.plus(Duration.ofSeconds(1)).toNanos());

        new RecordListener(
                        record -> {},
                        new FittedContainer(
                                consumer,
                                new SettledRecords(),
                                new PollTime(Duration.ofMinutes(1), System::nanoTime),
                                Optional.empty(),
                                false,
                                false,
                                false,
                                fitted -> fitted),
                        new Observations(() -> ObservationRegistry.NOOP))
                .onPartitionsRevoked(List.of(new TopicPartition("orders", 0)));

        assertThat(standstill.health().getStatus()).isEqualTo(Status.UP);
        consume("a", 0, new IllegalStateException("no such account"));
        nanoTime.addAndGet(Standstill.PATIENCE.plus(Duration.ofSeconds(1)).toNanos());
        new PollListener(record -> {}, consumer).onPartitionsRevoked(List.of(new TopicPartition("orders", 0)));
        assertThat(standstill.health().getStatus()).isEqualTo(Status.UP);
    }

    @Test
    void healthTellsOfAPartitionWhoseStoreCannotBeUsed() {
        IdempotentConsumer<ConsumerRecord<Object, Object>> broken = KafkaRecords.<Object, Object>consumer("billing")
                .store(MemoryStore.create())
                .transactions(work -> {
                    throw new IllegalStateException("no tables");
                })
                .listener(new Meters(registry))
                .listener(standstill)
                .build();
        for (int attempt = 0; attempt < 2; attempt++) {
            assertThatThrownBy(() -> broken.consumeAll(List.of(record("a", 0)), (record, claim) -> {}))
                    .hasMessageContaining("no tables");
            nanoTime.addAndGet(Standstill.PATIENCE.plus(Duration.ofSeconds(1)).toNanos());
        }

        assertThat(standstill.health().getStatus()).isEqualTo(Status.DOWN);
        assertThat(standstill.health().getDetails().toString()).contains("orders-0@0", "IllegalStateException");
        assertThat(registry.get(Meters.TRANSIENT).counter().count()).isEqualTo(2);
    }

    @Test
    void healthForgetsAPartitionThatGetsOn() {
        consume("a", 0, new IllegalStateException("no such account"));
        nanoTime.addAndGet(Standstill.PATIENCE.plus(Duration.ofSeconds(1)).toNanos());

        consume("a", 0);

        assertThat(standstill.health().getStatus()).isEqualTo(Status.UP);
    }

    @Test
    void healthIsPatientWithAPartitionThatFailsAtAnotherMessage() {
        consume("a", 0, new IllegalStateException("no"));
        nanoTime.addAndGet(Standstill.PATIENCE.plus(Duration.ofSeconds(1)).toNanos());
        consume("b", 1, new IllegalStateException("no"));

        assertThat(standstill.health().getStatus()).isEqualTo(Status.UP);
    }

    @Test
    @Tag("rule-1.17")
    void healthStaysDownWhileAPartitionTriesOneMessageAfterAnother() {
        IdempotentConsumer<ConsumerRecord<Object, Object>> once = KafkaRecords.<Object, Object>consumer("billing")
                .store(MemoryStore.create())
                .level(ConsistencyLevel.AT_MOST_ONCE)
                .standStillAfter(1)
                .listener(standstill)
                .build();
        once.consumeAll(List.of(record("a", 0), record("b", 1)), (record, claim) -> {
            throw new IllegalStateException("down");
        });
        nanoTime.addAndGet(Standstill.PATIENCE.plus(Duration.ofSeconds(1)).toNanos());
        assertThat(standstill.health().getStatus()).isEqualTo(Status.DOWN);
        assertThat(standstill.health().getDetails().toString())
                .contains("orders-0@1", "1 messages in a row failed in the same way (java.lang.IllegalStateException");

        Consumption trial = trial("b", 1, Outcome.QUARANTINED);
        standstill.onConsumption(trial);
        assertThat(standstill.health().getStatus()).isEqualTo(Status.UP);
        standstill.onConsumption(trial("c", 2, Outcome.RELEASED));
        assertThat(standstill.health().getStatus()).isEqualTo(Status.DOWN);
    }

    @Test
    @Tag("rule-8.12")
    void healthTellsTheReasonThatTheStoreNames() {
        IdempotentConsumer<ConsumerRecord<Object, Object>> refused = KafkaRecords.<Object, Object>consumer("billing")
                .store(MemoryStore.create())
                .transactions(work -> {
                    throw new StandStillException("offsets of orders-0 were set back to 0", "what to choose");
                })
                .listener(standstill)
                .build();
        refused.consumeAll(List.of(record("secret", 0)), (record, claim) -> {});
        nanoTime.addAndGet(Standstill.PATIENCE.plus(Duration.ofSeconds(1)).toNanos());

        assertThat(standstill.health().getDetails())
                .containsOnly(entry(
                        "billing on orders-0",
                        "stands still at orders-0@0 for 61 s: offsets of orders-0 were set back to 0"));
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
}
