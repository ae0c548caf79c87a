package io.idempotency.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.idempotency.ConsistencyLevel;
import io.idempotency.Consumption;
import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.IdempotentConsumerBuilder;
import io.idempotency.LastDeliveryException;
import io.idempotency.MessageHandler;
import io.idempotency.Outcome;
import io.idempotency.memory.MemoryQuarantine;
import io.idempotency.memory.MemoryReplays;
import io.idempotency.memory.MemoryStore;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineSelection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Share groups on a real broker, with the memory store. */
class ShareLoopTest {

    private static final Duration LOCK = Duration.ofSeconds(1);
    private static final int LIMIT = 5;

    private final MemoryStore store = MemoryStore.create();
    private final MemoryQuarantine quarantine = new MemoryQuarantine(store);
    private final Queue<Consumption> seen = new ConcurrentLinkedQueue<>();
    private final Queue<String> handled = new ConcurrentLinkedQueue<>();
    private final List<AutoCloseable> open = new ArrayList<>();
    private final String topic = Broker.topic(1);
    private final Map<String, Object> properties = Broker.sharing(LOCK);

    @AfterEach
    void close() throws Exception {
        for (int i = open.size(); i > 0; i--) {
            open.get(i - 1).close();
        }
    }

    private IdempotentConsumerBuilder<ConsumerRecord<String, String>> consumer() {
        return KafkaRecords.<String, String>consumer("billing")
                .store(store)
                .quarantine(quarantine)
                .failures(FailurePolicy.quarantineAfter(3).backOff(Duration.ofMillis(50), Duration.ofMillis(50)))
                .listener(seen::add);
    }

    private ShareLoop<String, String> start(MessageHandler<ConsumerRecord<String, String>> handler) {
        return start(consumer(), 2, handler);
    }

    private ShareLoop<String, String> start(
            IdempotentConsumerBuilder<ConsumerRecord<String, String>> builder,
            int members,
            MessageHandler<ConsumerRecord<String, String>> handler) {
        IdempotentConsumer<ConsumerRecord<String, String>> consumer = builder.build();
        open.add(consumer);
        ShareLoop<String, String> loop = ShareLoop.of(consumer, handler)
                .properties(properties)
                .topics(topic)
                .members(members)
                .build();
        open.add(loop);
        new Thread(loop, "share-loop").start();
        return loop;
    }

    private void send(String... ids) {
        for (String id : ids) {
            Broker.send(topic, 0, id, id);
        }
    }

    private long count(String id, Outcome outcome) {
        return seen.stream()
                .filter(each -> each.delivery().id().value().equals(id) && each.outcome() == outcome)
                .count();
    }

    private QuarantineEntry entry(String id) {
        return quarantine.find(new MessageId("billing", id)).orElseThrow();
    }

    /** Lets members take what is there and die, as the broker sees it: their locks end, and each counts as a delivery. */
    private void deliver(int times) {
        for (int i = 0; i < times; i++) {
            try (KafkaShareConsumer<byte[], byte[]> member =
                    new KafkaShareConsumer<>(ShareProcessor.consumer(properties))) {
                member.subscribe(List.of(topic));
                await().atMost(Duration.ofSeconds(30))
                        .until(() -> !member.poll(Duration.ofMillis(200)).isEmpty());
            }
        }
    }

    @Test
    @Tag("rule-14.1")
    void handlesEachMessageOnceAndSkipsCopies() {
        send("a", "b", "a", "c", "b");

        start((record, claim) -> handled.add(record.value()));

        await().until(() ->
                count("a", Outcome.DUPLICATE) == 1 && count("b", Outcome.DUPLICATE) == 1 && handled.size() == 3);
        assertThat(handled).containsExactlyInAnyOrder("a", "b", "c");
    }

    @Test
    @Tag("rule-14.3")
    void aSlowRecordHoldsNoOtherBackAndIsDeliveredOnce() {
        CountDownLatch gate = new CountDownLatch(1);
        send("slow", "a", "b");
        start((record, claim) -> {
            if (record.value().equals("slow")) {
                gate.await();
            }
            handled.add(record.value() + record.deliveryCount().orElseThrow());
        });
        await().until(() -> handled.size() == 2);

        send("c", "d");
        await().until(() -> handled.size() == 4);
        long start = System.nanoTime();
        await().atMost(Duration.ofSeconds(30))
                .until(() -> System.nanoTime() - start > LOCK.multipliedBy(7).toNanos());
        gate.countDown();

        await().until(() -> handled.size() == 5);
        send("e");
        await().until(() -> handled.size() == 6);
        assertThat(handled).containsExactlyInAnyOrder("a1", "b1", "c1", "d1", "slow1", "e1");
        assertThat(count("slow", Outcome.DUPLICATE)).isZero();
    }

    @Test
    @Tag("rule-14.7")
    void whatWaitsBehindAMemberIsNotFetchedAndNotCounted() {
        CountDownLatch gate = new CountDownLatch(1);
        properties.put("max.poll.records", 1);
        send("slow");
        start(consumer(), 1, (record, claim) -> {
            handled.add(record.value() + record.deliveryCount().orElseThrow());
            if (record.value().equals("slow")) {
                gate.await();
            }
        });
        await().until(() -> handled.size() == 1);
        send("a", "b", "c");
        long start = System.nanoTime();
        await().atMost(Duration.ofSeconds(30))
                .until(() -> System.nanoTime() - start > LOCK.multipliedBy(7).toNanos());
        assertThat(handled).containsExactly("slow1");
        gate.countDown();

        await().until(() -> handled.size() == 4);
        assertThat(handled).containsExactly("slow1", "a1", "b1", "c1");
    }

    @Test
    @Tag("rule-14.3")
    void failingRecordsAreQuarantinedWithTheirBytesAndHoldNoOtherBack() {
        send("bad1", "a", "bad2", "b");
        start((record, claim) -> {
            if (record.value().startsWith("bad")) {
                throw new IllegalStateException("Cannot handle " + record.value());
            }
            handled.add(record.value());
        });

        await().until(() -> count("bad1", Outcome.QUARANTINED) == 1 && count("bad2", Outcome.QUARANTINED) == 1);
        await().until(() -> handled.size() == 2);
        for (String id : List.of("bad1", "bad2")) {
            assertThat(entry(id).message().attempts()).isEqualTo(3);
            assertThat(entry(id).message().payload().value()).isEqualTo(Broker.bytes(id));
            assertThat(entry(id).message().payload().origin()).isEqualTo(Payload.Origin.RAW);
        }
        assertThat(seen).allSatisfy(each -> assertThat(each.outcome()).isNotEqualTo(Outcome.DUPLICATE));
    }

    @Test
    @Tag("rule-14.6")
    void eachAttemptGetsANewRecord() {
        Set<Integer> records = ConcurrentHashMap.newKeySet();
        List<Integer> headers = new ArrayList<>();
        send("ill");
        start((record, claim) -> {
            headers.add(record.headers().toArray().length);
            record.headers().add("changed", new byte[0]);
            if (records.add(System.identityHashCode(record)) && records.size() < 3) {
                throw new IllegalStateException("Fails twice");
            }
            handled.add(record.value());
        });

        await().until(() -> handled.size() == 1);
        assertThat(records).hasSize(3);
        assertThat(headers).containsExactly(1, 1, 1);
    }

    /** A deserializer that cannot read some values. */
    public static final class Picky extends StringDeserializer {
        @Override
        public String deserialize(String of, byte[] data) {
            String text = super.deserialize(of, data);
            if (text.startsWith("garbage")) {
                throw new IllegalArgumentException("Not readable");
            }
            return text;
        }
    }

    @Test
    @Tag("rule-14.6")
    void recordsThatCannotBeDeserializedFailAloneAndKeepTheirBytes() {
        properties.put("value.deserializer", Picky.class);
        send("garbage1", "a", "garbage2");

        start((record, claim) -> handled.add(record.value()));

        await().until(() -> count("garbage1", Outcome.QUARANTINED) == 1 && count("garbage2", Outcome.QUARANTINED) == 1);
        assertThat(entry("garbage1").message().payload().value()).isEqualTo(Broker.bytes("garbage1"));
        assertThat(entry("garbage2").message().attempts()).isEqualTo(3);
        await().until(() -> handled.contains("a"));
    }

    @Test
    @Tag("rule-14.4")
    void aRecordWithItsLastDeliveryIsKeptBeforeItIsHandledAndGoneAfterwards() {
        send("late");
        deliver(LIMIT - 1);
        Queue<String> kept = new ConcurrentLinkedQueue<>();

        start((record, claim) -> {
            kept.add(entry("late").message().failure().type());
            handled.add(record.value() + record.deliveryCount().orElseThrow());
        });

        await().until(() -> count("late", Outcome.PROCESSED) == 1);
        assertThat(handled).containsExactly("late" + LIMIT);
        assertThat(kept).containsExactly(LastDeliveryException.class.getName());
        await().until(() -> quarantine.find(new MessageId("billing", "late")).isEmpty());
    }

    @Test
    @Tag("rule-14.4")
    void aRecordThatFailsWithItsLastDeliveryIsQuarantinedAtOnce() {
        send("bad");
        deliver(LIMIT - 1);

        start((record, claim) -> {
            handled.add(record.value());
            throw new IllegalStateException("Cannot handle it");
        });

        await().until(() -> count("bad", Outcome.QUARANTINED) == 1);
        assertThat(handled).containsExactly("bad");
        assertThat(entry("bad").message().failure().type()).isEqualTo(IllegalStateException.class.getName());
        assertThat(entry("bad").message().payload().value()).isEqualTo(Broker.bytes("bad"));
    }

    @Test
    @Tag("rule-14.4")
    void aGarbageRecordWithItsLastDeliveryIsQuarantinedAtOnce() {
        properties.put("value.deserializer", Picky.class);
        send("garbage");
        deliver(LIMIT - 1);

        start((record, claim) -> handled.add(record.value()));

        await().until(() -> count("garbage", Outcome.QUARANTINED) == 1);
        assertThat(entry("garbage").message().attempts()).isEqualTo(1);
        assertThat(handled).isEmpty();
    }

    @Test
    void underAtLeastOnceEachMessageIsHandledOnce() {
        send("a", "b", "a");
        AtomicInteger calls = new AtomicInteger();

        start(consumer().level(ConsistencyLevel.AT_LEAST_ONCE), 2, (record, claim) -> {
            calls.incrementAndGet();
            handled.add(record.value());
        });

        await().until(() -> count("a", Outcome.DUPLICATE) == 1 && handled.size() == 2);
        assertThat(calls).hasValue(2);
    }

    @Test
    void replaysWhatIsInQuarantine() {
        AtomicBoolean isMended = new AtomicBoolean();
        MemoryReplays replays = new MemoryReplays(store, quarantine);
        IdempotentConsumer<ConsumerRecord<String, String>> consumer = consumer().build();
        open.add(consumer);
        ShareLoop<String, String> loop = ShareLoop.<String, String>of(consumer, (record, claim) -> {
                    if (!isMended.get()) {
                        throw new IllegalStateException("Not mended");
                    }
                    handled.add(record.value());
                })
                .properties(properties)
                .topics(topic)
                .members(1)
                .replays(replays)
                .build();
        open.add(loop);
        new Thread(loop, "share-loop").start();
        send("bad");
        await().until(() -> count("bad", Outcome.QUARANTINED) == 1);

        isMended.set(true);
        replays.request(ReplayRequest.of(QuarantineSelection.of("billing")));

        await().until(() -> quarantine.find(new MessageId("billing", "bad")).isEmpty());
        assertThat(handled).containsExactly("bad");
    }

    @Test
    void closingWaitsForTheRunningHandlersAndAcceptsTheirRecords() throws Exception {
        CountDownLatch running = new CountDownLatch(1);
        CountDownLatch gate = new CountDownLatch(1);
        send("a");
        ShareLoop<String, String> loop = start((record, claim) -> {
            running.countDown();
            gate.await();
            handled.add(record.value());
        });
        running.await();
        Thread closing = new Thread(loop::close);
        closing.start();
        gate.countDown();
        closing.join();

        assertThat(loop.isRunning()).isFalse();
        assertThat(handled).containsExactly("a");
        start((record, claim) -> handled.add(record.value()));
        send("b");
        await().until(() -> handled.contains("b"));
        assertThat(count("a", Outcome.DUPLICATE)).isZero();
    }

    @Test
    @Tag("rule-14.7")
    void refusesSettingsThatAcceptOrFetchTooEarly() {
        for (Map.Entry<String, String> wrong : Map.of(
                        "share.acknowledgement.mode", "implicit", "share.acquire.mode", "batch_optimized")
                .entrySet()) {
            ShareLoopBuilder<String, String> builder = ShareLoop.of(consumer().build(), (record, claim) -> {})
                    .topics(topic)
                    .properties(properties)
                    .properties(Map.ofEntries(wrong));

            assertThatThrownBy(builder::build)
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining(wrong.getKey() + "=" + wrong.getValue());
        }
    }
}
