package io.idempotency;

import static io.idempotency.Outcome.PROCESSED;
import static io.idempotency.Outcome.QUARANTINED;
import static io.idempotency.Outcome.RELEASED;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.kafka.LogCapture;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.TransactionLostException;
import io.idempotency.store.TransientStoreException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Failures that go on and on: what is told of them, and what is kept. */
class StubbornFailuresTest {

    private final Bench bench = new Bench();
    private final AtomicLong nanos = new AtomicLong();
    private final Message a = Message.of("a", 0, 0);

    @ParameterizedTest
    @EnumSource(names = "AT_MOST_ONCE", mode = EnumSource.Mode.EXCLUDE)
    @Tag("rule-7.3")
    void areToldWithAllTheirCausesWhenThereWereManyInARow(ConsistencyLevel level) {
        bench.failing.put(
                "a", new IllegalStateException(new TransientStoreException("signal", new IOException("why"))));
        IdempotentConsumer<Message> consumer = bench.level(level).build();
        try (LogCapture logs = new LogCapture()) {
            for (int i = 1; i < Consumption.MANY_TRANSIENT_FAILURES; i++) {
                consumer.consumeAll(List.of(a), bench::handle);
            }
            assertThat(logs.errors()).isEmpty();
            assertThat(bench.events).noneMatch(Consumption::isStuck);

            consumer.consumeAll(List.of(a), bench::handle);

            assertThat(logs.errors()).singleElement().asString().contains("billing/a", "20 in a row");
            assertThat(logs.traces()).anyMatch(trace -> trace.contains("why"));
            assertThat(bench.lastEvent())
                    .matches(Consumption::isStuck)
                    .matches(Consumption::isTransient)
                    .matches(event -> event.attempts() == 0);
        }
        consumer.close();
    }

    @Test
    @Tag("rule-7.3")
    void areWarnedOfFromTheSecondMinuteOn() {
        bench.failing.put("a", new TransientStoreException("down"));
        IdempotentConsumer<Message> consumer = bench.strong().build(nanos::get);
        try (LogCapture logs = new LogCapture()) {
            consumer.consumeAll(List.of(a), bench::handle);
            nanos.addAndGet(Duration.ofSeconds(59).toNanos());
            consumer.consumeAll(List.of(a), bench::handle);
            assertThat(logs.warnings()).isEmpty();
            nanos.addAndGet(Duration.ofSeconds(14).toNanos());
            consumer.consumeAll(List.of(a), bench::handle);

            assertThat(logs.warnings()).singleElement().asString().contains("billing/a", "down", "73 s");
        }
    }

    @Test
    @Tag("rule-7.3")
    void areNotInARowBehindAMessageThatGotOn() {
        Throwable down = new TransientStoreException("down");
        IdempotentConsumer<Message> consumer = bench.strong().build();
        for (int i = 0; i < Consumption.MANY_TRANSIENT_FAILURES; i++) {
            String id = "id-" + i;
            bench.failing.put(id, down);
            consumer.consumeAll(List.of(Message.of(id, 0, i)), bench::handle);
            bench.failing.clear();
            consumer.consumeAll(List.of(Message.of(id, 0, i)), bench::handle);
        }

        assertThat(bench.events)
                .filteredOn(Consumption::isTransient)
                .hasSize(Consumption.MANY_TRANSIENT_FAILURES)
                .allMatch(event -> event.transientFailures() == 1);
    }

    @Test
    @Tag("rule-7.7")
    void ofTheProofAreChargedOnlyWhenTheyDoNotPass() {
        AtomicBoolean isLocked = new AtomicBoolean(true);
        IdempotentConsumer<Message> consumer = bench.strong()
                .transactions(work -> bench.store.transactions().inTransaction(() -> {
                    work.run();
                    if (isLocked.get()) {
                        throw TransactionLostException.rolledBack("by the database, which a handler did not tell");
                    }
                }))
                .build();
        for (int i = 0; i < Consumption.MANY_TRANSIENT_FAILURES; i++) {
            consumer.consumeAll(List.of(a), bench::handle);
        }
        assertThat(bench.events).allMatch(event -> event.attempts() == 0);

        List<Outcome> outcomes = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            outcomes.addAll(consumer.consumeAll(List.of(a), bench::handle).outcomes());
        }
        assertThat(outcomes).containsOnly(RELEASED);
        assertThat(bench.lastEvent().attempts()).isEqualTo(2);
        isLocked.set(false);
        assertThat(consumer.consume(a, bench::handle)).isEqualTo(PROCESSED);
    }

    @Test
    @Tag("rule-7.8")
    void areForgottenWithTheirPartition() {
        bench.failing.put("a", new IOException("no"));
        IdempotentConsumer<Message> consumer = bench.strong().build();
        for (int i = 0; i < 2; i++) {
            consumer.consumeAll(List.of(a), bench::handle);
        }
        consumer.revoked("orders", 1);
        consumer.revoked("orders", 0);
        consumer.consumeAll(List.of(a), bench::handle);

        assertThat(bench.lastEvent().attempts()).isEqualTo(1);
    }

    @Test
    @Tag("rule-7.8")
    void areForgottenWithTheirPartitionIfTheyWereFailuresInCompany() {
        List<Integer> batches = new ArrayList<>();
        List<Message> messages = Message.partition(0, "a", "b", "c", "d");
        IdempotentConsumer<Message> consumer = bench.strong().build();
        BatchHandler<Message> unknown = (batch, claims) -> {
            throw new IOException("of one of them");
        };
        BatchHandler<Message> named = (batch, claims) -> {
            throw new BatchFailedException(2, new IOException("of c"));
        };
        for (BatchHandler<Message> failing : List.of(unknown, named)) {
            consumer.consumeBatch(messages, failing);
            consumer.revoked("orders", 0);
        }

        consumer.consumeBatch(messages, (batch, claims) -> batches.add(batch.size()));

        assertThat(batches).containsExactly(4);
        assertThat(bench.events).allMatch(event -> event.attempts() == 0);
    }

    @Test
    @Tag("rule-7.8")
    void keepBytesOnlyUpToABound() {
        Lanes lanes = new Lanes(nanos::get);
        Payload payload = new Payload(null, new byte[256 * 1024], List.of(), Payload.Origin.RAW);
        for (int i = 0; i < 750; i++) {
            Lane lane = Lane.of(new Position("orders", i, 0));
            MessageId id = new MessageId("billing", "id-" + i);
            lanes.countFailure(lane, id, 1);
            assertThat(lanes.payload(lane, id, () -> payload)).isSameAs(payload);
        }
        assertThat(lanes.keptBytes()).isBetween(Lanes.MOST_BYTES / 2, Lanes.MOST_BYTES);

        for (int i = 0; i < 750; i++) {
            Lane lane = Lane.of(new Position("orders", i, 0));
            if (i % 2 == 0) {
                lanes.forget(lane);
            } else {
                lanes.processed(lane, new MessageId("billing", "id-" + i));
            }
        }
        assertThat(lanes.keptBytes()).isZero();
        assertThat(lanes.isEmpty()).isTrue();
    }

    @Test
    @Tag("rule-7.1")
    void ofOneMessageNeverStopOtherPartitions() {
        bench.failing.put("a", new TransientStoreException("down"));
        bench.failing.put("bad", new IOException("no"));
        IdempotentConsumer<Message> consumer =
                bench.strong().failures(FailurePolicy.quarantineAfter(1)).build();
        for (int i = 0; i < 3; i++) {
            consumer.consumeAll(List.of(a, Message.of("bad", 1, 0), Message.of("x", 2, 0)), bench::handle);
        }

        assertThat(bench.effects).containsExactly("x");
        assertThat(bench.quarantine.find(new MessageId("billing", "bad"))).isPresent();
        assertThat(consumer.consumeAll(List.of(a), bench::handle).outcomes()).doesNotContain(QUARANTINED, PROCESSED);
    }
}
