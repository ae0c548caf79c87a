package io.idempotency.micrometer;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.ConsistencyLevel;
import io.idempotency.Consumption;
import io.idempotency.Duplicate;
import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.IdempotentConsumerBuilder;
import io.idempotency.Outcome;
import io.idempotency.Standstills;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.memory.MemoryQuarantine;
import io.idempotency.memory.MemoryStore;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.JournalStatistics;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.TransientStoreException;
import io.idempotency.store.UnjudgedStatistics;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MockClock;
import io.micrometer.core.instrument.simple.SimpleConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the meters tell of consumers, purges and journals. */
class IdempotencyMetersTest {

    private final MockClock clock = new MockClock();
    private final MeterRegistry registry = new SimpleMeterRegistry(SimpleConfig.DEFAULT, clock);
    private final IdempotentConsumer<ConsumerRecord<Object, Object>> consumer =
            billing().build();

    private IdempotentConsumerBuilder<ConsumerRecord<Object, Object>> billing() {
        return KafkaRecords.<Object, Object>consumer("billing")
                .store(MemoryStore.create())
                .failures(FailurePolicy.leaveToCaller())
                .listener(IdempotencyMeters.of(registry));
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

    private long count(String outcome) {
        return registry.get(MeterNames.CONSUMPTIONS)
                .tags("consumer", "billing", "level", "strong", "outcome", outcome)
                .timer()
                .count();
    }

    private double counted(String meter, String... tags) {
        return registry.get(meter)
                .tag("consumer", "billing")
                .tags(tags)
                .counter()
                .count();
    }

    @Test
    void countsConsumptionsByConsumerLevelAndOutcome() {
        consume("a", 0);
        consume("b", 1);
        consume("a", 2);
        consume("c", 3, new IllegalStateException("no"));

        assertThat(count("processed")).isEqualTo(2);
        assertThat(count("duplicate")).isEqualTo(1);
        assertThat(count("failed")).isEqualTo(1);
    }

    @Test
    void isThereWithZeroBeforeAnythingHappens() {
        List<Meter.Id> ids = registry.getMeters().stream().map(Meter::getId).toList();

        for (String outcome : List.of(
                "processed",
                "duplicate",
                "failed",
                "quarantined",
                "quarantined_before",
                "quarantined_behind",
                "expired",
                "in_progress")) {
            assertThat(count(outcome)).isZero();
        }
        assertThat(registry.getMeters())
                .allSatisfy(
                        meter -> assertThat(meter.getId().getTag("consumer")).isEqualTo("billing"))
                .allSatisfy(meter -> assertThat(meter.measure()).allMatch(measure -> measure.getValue() == 0));
        consume("a", 0, new TransientStoreException("deadlock"));
        consume("a", 0, new IllegalStateException("no"));
        consume("a", 0);
        consume("a", 1);
        assertThat(registry.getMeters()).extracting(Meter::getId).containsExactlyInAnyOrderElementsOf(ids);
    }

    @Test
    void looksUpNothingInTheRegistryWhileItCounts() {
        IdempotencyMeters meters = IdempotencyMeters.of(registry);
        meters.onBuilt("mails", ConsistencyLevel.STRONG, false, MemoryStore.create());
        registry.clear();
        Delivery delivery = new Delivery(new MessageId("mails", "a"), new Position("orders", 0, 0));

        for (Outcome outcome : List.of(Outcome.PROCESSED, Outcome.QUARANTINED, Outcome.EXPIRED, Outcome.IN_PROGRESS)) {
            meters.onConsumption(new Consumption(
                    ConsistencyLevel.STRONG, delivery, outcome, 0, Optional.empty(), Optional.empty(), 0, 0));
        }
        meters.onEarlyCommit(delivery);

        assertThat(registry.getMeters())
                .as("what a look-up would have registered again")
                .isEmpty();
    }

    /** Otherwise an alert on quarantines would fire at each rebalance. */
    @Test
    void tellsAQuarantineFromARedeliveryOfItsMessage() {
        MemoryStore store = MemoryStore.create();
        IdempotentConsumer<ConsumerRecord<Object, Object>> quarantining = billing()
                .store(store)
                .quarantine(new MemoryQuarantine(store))
                .failures(FailurePolicy.quarantineAfter(1))
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
    void countsDuplicatesByKindWithTheirAge() {
        consume("a", 0);
        consume("a", 0);
        consume("a", 1);

        assertThat(counted(MeterNames.DUPLICATES, "kind", "redelivery")).isEqualTo(1);
        assertThat(counted(MeterNames.DUPLICATES, "kind", "resend")).isEqualTo(1);
        assertThat(registry.get(MeterNames.AGE).summary().takeSnapshot().histogramCounts())
                .as("a minute to eight days")
                .hasSize(8)
                .allMatch(bucket -> bucket.count() == 2);
        assertThat(registry.get(MeterNames.AGE).summary().count()).isEqualTo(2);
    }

    @Test
    void comparesTheAgeOfADuplicateWithTheRetention() {
        IdempotencyMeters meters = IdempotencyMeters.of(registry);
        meters.onBuilt("mails", ConsistencyLevel.STRONG, false, remembering(Duration.ofHours(10)));
        meters.onConsumption(new Consumption(
                ConsistencyLevel.STRONG,
                new Delivery(new MessageId("mails", "a"), new Position("orders", 0, 0)),
                Outcome.DUPLICATE,
                0,
                Optional.of(new Duplicate(Duplicate.Kind.RESEND, new Position("orders", 0, 0), Duration.ofHours(6))),
                Optional.empty(),
                0,
                0));

        assertThat(registry.get(MeterNames.AGE_RATIO)
                        .tag("consumer", "mails")
                        .summary()
                        .max())
                .isEqualTo(0.6);
        consume("a", 0);
        consume("a", 0);
        assertThat(registry.get(MeterNames.AGE_RATIO)
                        .tag("consumer", "billing")
                        .summary()
                        .count())
                .as("a store that does not know its retention")
                .isZero();
    }

    /** A store that knows its retention, and nothing else. */
    private static ClaimStore remembering(Duration retention) {
        return (ClaimStore) Proxy.newProxyInstance(
                ClaimStore.class.getClassLoader(), new Class<?>[] {ClaimStore.class}, (proxy, method, arguments) -> {
                    assertThat(method.getName()).isEqualTo("remembers");
                    return Optional.of(retention);
                });
    }

    @Test
    void countsTransientFailuresApart() {
        consume("a", 0, new TransientStoreException("deadlock"));

        assertThat(counted(MeterNames.TRANSIENT)).isEqualTo(1);
        assertThat(count("failed")).isZero();
    }

    @Test
    @Tag("rule-7.3")
    void countsTransientFailuresThatDoNotPass() {
        for (int i = 0; i < Consumption.MANY_TRANSIENT_FAILURES + 2; i++) {
            consume("a", 0, new TransientStoreException("signal"));
        }

        assertThat(counted(MeterNames.STUCK)).isEqualTo(3);
    }

    @Test
    @Tag("rule-1.7")
    void countsTransactionsThatAHandlerCommittedItself() {
        IdempotencyMeters.of(registry)
                .onEarlyCommit(new Delivery(new MessageId("billing", "a"), new Position("orders", 0, 0)));

        assertThat(counted(MeterNames.EARLY)).isEqualTo(1);
    }

    @Test
    void countsLeasesThatWereLost() {
        IdempotencyMeters meters = IdempotencyMeters.of(registry);
        meters.onBuilt("mails", ConsistencyLevel.AT_LEAST_ONCE, false, MemoryStore.create());
        assertThat(registry.get(MeterNames.LEASES_LOST).counters()).hasSize(1);

        meters.onLeaseLost(new Delivery(new MessageId("mails", "a"), new Position("orders", 0, 0)));

        assertThat(registry.get(MeterNames.LEASES_LOST)
                        .tag("consumer", "mails")
                        .counter()
                        .count())
                .isEqualTo(1);
    }

    @Test
    void readsWhatAStoreCouldNotJudge() {
        ClaimStore skipping = (ClaimStore) Proxy.newProxyInstance(
                ClaimStore.class.getClassLoader(),
                new Class<?>[] {ClaimStore.class, UnjudgedStatistics.class},
                (proxy, method, arguments) -> arguments[1] == UnjudgedStatistics.Action.SKIPPED ? 7L : 0L);
        IdempotencyMeters.of(registry).onBuilt("mails", ConsistencyLevel.STRONG, false, skipping);

        for (String action : List.of("refused", "processed", "skipped")) {
            assertThat(registry.get(MeterNames.UNJUDGED)
                            .tags("consumer", "mails", "action", action)
                            .functionCounter()
                            .count())
                    .isEqualTo(action.equals("skipped") ? 7 : 0);
        }
    }

    @Test
    void countsPartitionsThatStandStillByReason() {
        AtomicLong nanoTime = new AtomicLong();
        Standstills standstills = new Standstills(nanoTime::get, () -> Instant.EPOCH);
        IdempotentConsumer<ConsumerRecord<Object, Object>> mails = KafkaRecords.<Object, Object>consumer("mails")
                .store(MemoryStore.create())
                .failures(FailurePolicy.leaveToCaller())
                .listener(standstills)
                .listener(IdempotencyMeters.of(registry, standstills))
                .build();
        mails.consumeAll(List.of(record("a", 0)), (record, claim) -> {
            throw new IllegalStateException("down");
        });
        assertThat(standing("failure")).isZero();

        nanoTime.addAndGet(Standstills.PATIENCE.toNanos() + 1);

        assertThat(standing("failure")).isEqualTo(1);
        assertThat(standing("transient")).isZero();
        assertThat(standing("in_progress")).isZero();
        assertThat(standing("refused")).isZero();
    }

    private double standing(String reason) {
        return registry.get(MeterNames.STANDSTILL)
                .tags("consumer", "mails", "reason", reason)
                .gauge()
                .value();
    }

    /** So that an alert sees a purge that has never succeeded, and leaves one alone that has just begun. */
    @Test
    void tellsWhenAPurgeBeganBeforeItSucceedsFirst() {
        IdempotencyMeters meters = IdempotencyMeters.of(registry);
        clock.add(Duration.ofDays(1));
        meters.onStarted("table");
        double began = clock.wallTime();
        clock.add(Duration.ofDays(1));

        assertThat(registry.get(MeterNames.PURGE_SUCCESS)
                        .tag("store", "table")
                        .timeGauge()
                        .value(TimeUnit.MILLISECONDS))
                .isEqualTo(began);
        assertThat(registry.get(MeterNames.PURGED).counter().count()).isZero();
        assertThat(registry.get(MeterNames.PURGE_TIME).timer().count()).isZero();
    }

    @Test
    void tellsOfPurges() {
        IdempotencyMeters meters = IdempotencyMeters.of(registry);
        clock.add(Duration.ofDays(1));
        meters.onPurged("table", 7, Duration.ofSeconds(3));
        meters.onPurged("table", 2, Duration.ofSeconds(1));

        assertThat(registry.get(MeterNames.PURGED)
                        .tag("store", "table")
                        .counter()
                        .count())
                .isEqualTo(9);
        assertThat(registry.get(MeterNames.PURGE_TIME).timer().totalTime(TimeUnit.SECONDS))
                .isEqualTo(4);
        assertThat(registry.get(MeterNames.PURGE_SUCCESS).timeGauge().value(TimeUnit.MILLISECONDS))
                .isEqualTo((double) clock.wallTime());
    }

    @Test
    void readsWhatAJournalTells() {
        IdempotencyMeters.of(registry).journals(new Journal(100, 4, 3, 2, 1));

        assertThat(registry.get(MeterNames.JOURNAL_MEMORY).gauge().value()).isEqualTo(100);
        assertThat(registry.get(MeterNames.JOURNAL_MESSAGES).gauge().value()).isEqualTo(4);
        assertThat(registry.get(MeterNames.JOURNAL_ARCHIVED).gauge().value()).isEqualTo(3);
        assertThat(registry.get(MeterNames.JOURNAL_CATCH_UPS).functionCounter().count())
                .isEqualTo(2);
        assertThat(registry.get(MeterNames.JOURNAL_RELOADS).functionCounter().count())
                .isEqualTo(1);
    }

    private record Journal(
            long memoryBytes, long rememberedMessages, long archivedMessages, long catchUps, long reloads)
            implements JournalStatistics {}
}
