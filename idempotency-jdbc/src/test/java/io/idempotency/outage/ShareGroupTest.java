package io.idempotency.outage;

import static io.idempotency.outage.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.ConsistencyLevel;
import io.idempotency.IdempotentConsumer;
import io.idempotency.MessageHandler;
import io.idempotency.Outcome;
import io.idempotency.ShareDelivery;
import io.idempotency.jdbc.JournalStore;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.ShareLoop;
import io.idempotency.kafka.ShareProcessor;
import io.idempotency.store.IdempotencyException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Members of a share group on a real broker and a real PostgreSQL, with acquisition locks that run out. */
@ExtendWith(LongOutage.class)
class ShareGroupTest {

    private static final Duration LOCK = Duration.ofSeconds(1);

    private final Postgres postgres = Postgres.shared();
    private final Watch watch = new Watch();
    private final Watch watchOfFirst = new Watch();
    private final String topic = Kafka.topic(1);
    private final Map<String, Object> properties = Kafka.sharing("group-" + topic, LOCK);

    private IdempotentConsumer<ConsumerRecord<String, String>> consumer(
            Ledger ledger, Watch seenBy, ConsistencyLevel level) {
        return KafkaRecords.<String, String>consumer(ledger.consumer())
                .store(ledger.store())
                .level(level)
                .quarantine(seenBy)
                .listener(seenBy)
                .build();
    }

    private ShareLoop<String, String> start(
            IdempotentConsumer<ConsumerRecord<String, String>> consumer,
            MessageHandler<ConsumerRecord<String, String>> handler) {
        ShareLoop<String, String> loop = ShareLoop.of(consumer, handler)
                .properties(properties)
                .topics(topic)
                .members(2)
                .build();
        new Thread(loop, "share-loop").start();
        return loop;
    }

    /** A member that has a record, handles it, and does not renew its lock. */
    private final class Sleepy implements AutoCloseable {

        private final Gate inHandler = new Gate();
        private final KafkaShareConsumer<String, String> kafka;
        private final Thread thread;

        Sleepy(Ledger ledger, ConsistencyLevel level, boolean fails) {
            Map<String, Object> ofMember = ShareProcessor.consumer(properties);
            ofMember.put("key.deserializer", StringDeserializer.class);
            ofMember.put("value.deserializer", StringDeserializer.class);
            kafka = new KafkaShareConsumer<>(ofMember);
            kafka.subscribe(List.of(topic));
            List<ConsumerRecord<String, String>> polled = new ArrayList<>();
            eventually().until(() -> {
                ConsumerRecords<String, String> records = kafka.poll(Duration.ofMillis(200));
                records.forEach(polled::add);
                return !polled.isEmpty();
            });
            ShareDelivery<ConsumerRecord<String, String>> delivery =
                    ShareDelivery.of(consumer(ledger, watchOfFirst, level));
            thread = new Thread(() -> delivery.consume(
                    polled.get(0),
                    (message, claim) -> {
                        ledger.enter(message);
                        inHandler.pass();
                        if (fails) {
                            throw new IllegalStateException("Fails late");
                        }
                    },
                    3));
            thread.start();
            inHandler.awaitArrival();
        }

        void finish() {
            inHandler.open();
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void close() {
            kafka.close();
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = ConsistencyLevel.class,
            names = {"STRONG", "AT_LEAST_ONCE"})
    @Tag("rule-14.5")
    void ofTwoMembersWithOneRecordTheClaimDecides(ConsistencyLevel level) {
        Kafka.send(topic, 0, "m1");
        try (Ledger ledger = Ledger.open(Ledger.anyConsumer(), postgres.url(), 6);
                Sleepy first = new Sleepy(ledger, level, false);
                IdempotentConsumer<ConsumerRecord<String, String>> consumer = consumer(ledger, watch, level);
                ShareLoop<String, String> loop = start(consumer, (message, claim) -> ledger.enter(message))) {
            eventually().until(() -> !watch.of("m1").isEmpty());
            Kafka.send(topic, 0, "m2");
            eventually().until(() -> watch.count(Outcome.PROCESSED) == 1);
            assertThat(watch.of("m1"))
                    .as("waits, and holds no other back")
                    .allSatisfy(seen -> assertThat(seen.outcome()).isIn(Outcome.RELEASED, Outcome.IN_PROGRESS));

            first.finish();

            eventually().until(() -> watch.count(Outcome.DUPLICATE) == 1);
            assertThat(watchOfFirst.count(Outcome.PROCESSED)).isEqualTo(1);
            assertThat(postgres.effects(ledger.consumer()))
                    .extracting(Entry::id)
                    .containsExactlyInAnyOrder("m1", "m2");
            assertThat(loop.failure()).isEmpty();
        }
    }

    @Test
    @Tag("rule-14.5")
    void theSecondMemberTakesOverIfTheFirstRollsBack() {
        Kafka.send(topic, 0, "m1");
        try (Ledger ledger = Ledger.open(Ledger.anyConsumer(), postgres.url(), 6);
                Sleepy first = new Sleepy(ledger, ConsistencyLevel.STRONG, true);
                IdempotentConsumer<ConsumerRecord<String, String>> consumer =
                        consumer(ledger, watch, ConsistencyLevel.STRONG);
                ShareLoop<String, String> loop = start(consumer, (message, claim) -> ledger.enter(message))) {
            eventually().until(() -> !watch.of("m1").isEmpty());

            first.finish();

            eventually().until(() -> watch.count(Outcome.PROCESSED) == 1);
            assertThat(postgres.effects(ledger.consumer()))
                    .extracting(Entry::id)
                    .containsExactly("m1");
            assertThat(loop.failure()).isEmpty();
        }
    }

    @Test
    @Tag("rule-14.1")
    void refusesTheJournalStore() {
        try (Ledger ledger = Ledger.open(Ledger.anyConsumer(), postgres.url(), 2);
                IdempotentConsumer<ConsumerRecord<String, String>> consumer = KafkaRecords.<String, String>consumer(
                                ledger.consumer())
                        .store(JournalStore.builder(ledger.pool()).build())
                        .quarantine(watch)
                        .build()) {
            assertThatThrownBy(() -> ShareLoop.of(consumer, (message, claim) -> {}))
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("its store remembers messages in the order of their partition")
                    .hasMessageContaining("Use the table store");
        }
    }

    @Test
    @Tag("rule-14.1")
    @Tag("rule-14.2")
    void loopsThatComeAndGoWithSlowAndFailingHandlersLoseNothingAndDoubleNothing() {
        List<Entry> sent = new ArrayList<>(Kafka.send(topic, 0, "m", 1_000));
        for (int i = 0; i < 1_000; i += 10) {
            sent.add(Kafka.send(topic, 0, "m-0-" + i));
        }
        Set<String> failed = ConcurrentHashMap.newKeySet();
        AtomicInteger slow = new AtomicInteger();
        try (Ledger ledger = Ledger.open(Ledger.anyConsumer(), postgres.url(), 24);
                IdempotentConsumer<ConsumerRecord<String, String>> consumer =
                        consumer(ledger, watch, ConsistencyLevel.STRONG)) {
            MessageHandler<ConsumerRecord<String, String>> handler = (message, claim) -> {
                ledger.enter(message);
                if (message.value().endsWith("7") && failed.add(message.value())) {
                    throw new IllegalStateException("Fails once");
                }
                if (message.value().endsWith("33") && slow.incrementAndGet() <= 5) {
                    new Gate().stay(LOCK.multipliedBy(2));
                }
            };
            for (int i = 0; i < 3; i++) {
                int handled = 200 * (i + 1);
                try (ShareLoop<String, String> loop = start(consumer, handler);
                        ShareLoop<String, String> second = start(consumer, handler)) {
                    eventually().until(() -> postgres.effects(ledger.consumer()).size() >= handled);
                    assertThat(loop.failure()).isEmpty();
                    assertThat(second.failure()).isEmpty();
                }
            }
            try (ShareLoop<String, String> last = start(consumer, handler)) {
                eventually()
                        .until(() -> postgres.effects(ledger.consumer()).size() >= 1_000
                                && watch.count(Outcome.DUPLICATE) >= 100);
                assertThat(last.failure()).isEmpty();
            }
            assertThat(postgres.effects(ledger.consumer()))
                    .extracting(Entry::id)
                    .containsExactlyInAnyOrderElementsOf(
                            new TreeSet<>(sent.stream().map(Entry::id).toList()));
            watch.assertNothingQuarantined();
        }
    }
}
