package io.idempotency.outage;

import static io.idempotency.outage.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.BatchResult;
import io.idempotency.IdempotentConsumer;
import io.idempotency.Outcome;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.ShareLoop;
import io.idempotency.kafka.ShareProcessor;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A database that is down for many periods of the acquisition lock: a share loop, and a member that releases what it could not handle, as one may think of first. */
@ExtendWith(LongOutage.class)
class ShareOutageTest {

    private static final Duration LOCK = Duration.ofSeconds(5);
    private static final Duration LENGTH = Duration.ofSeconds(Long.getLong("share.outage.seconds", 45));
    private static final int HALF = 40;
    private static final int RELEASED = 8;

    private final String topic = Kafka.topic(2);
    private final String topicOfOther = Kafka.topic(1);
    private final List<Entry> sent = new ArrayList<>();
    private final Set<Integer> deliveries = new HashSet<>();

    @Test
    @Tag("rule-14.2")
    void renewingArchivesNothingAndReleasingLoses() {
        Watch watch = new Watch();
        Watch watchOfOther = new Watch();
        try (Postgres postgres = Postgres.start();
                Ledger ledger = Ledger.open("renewing", postgres.url(), 8);
                IdempotentConsumer<ConsumerRecord<String, String>> consumer = consumer(ledger, watch);
                Ledger other = Ledger.open("releasing", postgres.url(), 4);
                IdempotentConsumer<ConsumerRecord<String, String>> releasing = consumer(other, watchOfOther);
                ShareLoop<String, String> loop = loop(consumer, ledger);
                Releasing member = new Releasing(releasing, other)) {
            send("before");
            eventually().until(() -> unique(postgres, "renewing").size() > HALF / 2);
            postgres.crash();
            long downSince = System.nanoTime();
            send("during");
            Kafka.send(topicOfOther, 0, "during", RELEASED);
            eventually().atMost(LENGTH.multipliedBy(2)).until(() -> System.nanoTime() - downSince > LENGTH.toNanos());
            eventually()
                    .untilAsserted(() -> assertThat(member.saw)
                            .as("deliveries until the broker archives the records")
                            .hasSize(RELEASED * ShareProcessor.DEFAULT_DELIVERY_LIMIT));
            postgres.comeBack();
            eventually()
                    .alias("the loop handles what it has")
                    .until(() -> unique(postgres, "renewing").size() == ids().size());
            sent.add(Kafka.send(topic, 0, "after"));
            eventually().ignoreExceptions().until(() -> isConnected(other));
            Kafka.send(topicOfOther, 0, "after");
            eventually()
                    .untilAsserted(() -> assertThat(unique(postgres, "renewing"))
                            .as("failure: %s", loop.failure())
                            .contains("after"));
            eventually()
                    .untilAsserted(() -> assertThat(unique(postgres, "releasing"))
                            .as("failure: %s, saw: %s", member.failure, member.saw)
                            .contains("after"));

            assertThat(loop.failure()).isEmpty();
            assertThat(postgres.effects("renewing")).extracting(Entry::id).containsExactlyInAnyOrderElementsOf(ids());
            assertThat(deliveries).as("each record was delivered once only").containsExactly(1);
            watch.assertNothingCounted();
            assertThat(watch.transients()).isPositive();
            eventually().until(() -> watch.count(Outcome.DUPLICATE) == sent.size() - ids().size());

            assertThat(unique(postgres, "releasing")).as("all others are lost").containsExactly("after");
            watchOfOther.assertNothingCounted();
        }
    }

    private static boolean isConnected(Ledger ledger) throws SQLException {
        try (Connection connection = ledger.pool().getConnection()) {
            return connection.isValid(1);
        }
    }

    private void send(String idBegins) {
        for (int partition = 0; partition < 2; partition++) {
            sent.addAll(Kafka.send(topic, partition, idBegins, HALF));
        }
        // One in ten is a copy, in the other partition.
        for (int i = 0; i < HALF * 2 / 10; i++) {
            sent.add(Kafka.send(topic, 1, idBegins + "-0-" + i));
        }
    }

    private Set<String> ids() {
        Set<String> ids = new TreeSet<>();
        sent.forEach(entry -> ids.add(entry.id()));
        return ids;
    }

    private static Set<String> unique(Postgres postgres, String consumer) {
        Set<String> ids = new TreeSet<>();
        postgres.effects(consumer).forEach(entry -> ids.add(entry.id()));
        return ids;
    }

    private static IdempotentConsumer<ConsumerRecord<String, String>> consumer(Ledger ledger, Watch watch) {
        return KafkaRecords.<String, String>consumer(ledger.consumer())
                .store(ledger.store())
                .quarantine(watch)
                .listener(watch)
                .build();
    }

    private ShareLoop<String, String> loop(IdempotentConsumer<ConsumerRecord<String, String>> consumer, Ledger ledger) {
        ShareLoop<String, String> loop = ShareLoop.of(consumer, (message, claim) -> {
                    ledger.enter(message);
                    synchronized (deliveries) {
                        deliveries.add((int) message.deliveryCount().orElseThrow());
                    }
                })
                .properties(Kafka.sharing("renewing-" + topic, LOCK))
                .topics(topic)
                .members(3)
                .build();
        new Thread(loop, "renewing").start();
        return loop;
    }

    /** A member that accepts what is settled, and releases what is not. */
    private final class Releasing implements AutoCloseable {

        private final List<String> saw = new CopyOnWriteArrayList<>();
        private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        private final AtomicBoolean isClosing = new AtomicBoolean();
        private final Thread thread;

        Releasing(IdempotentConsumer<ConsumerRecord<String, String>> consumer, Ledger ledger) {
            Map<String, Object> properties = Kafka.sharing("releasing-" + topicOfOther, LOCK);
            properties.put("share.acknowledgement.mode", "explicit");
            properties.put("share.acquire.mode", "record_limit");
            properties.put("max.poll.records", 1);
            thread = new Thread(() -> run(properties, consumer, ledger), "releasing");
            thread.setUncaughtExceptionHandler((ignored, thrown) -> failure.set(thrown));
            thread.start();
        }

        private void run(
                Map<String, Object> properties,
                IdempotentConsumer<ConsumerRecord<String, String>> consumer,
                Ledger ledger) {
            try (KafkaShareConsumer<String, String> kafka = new KafkaShareConsumer<>(properties)) {
                kafka.subscribe(List.of(topicOfOther));
                while (!isClosing.get()) {
                    for (ConsumerRecord<String, String> record : kafka.poll(Duration.ofMillis(200))) {
                        BatchResult result =
                                consumer.consumeAll(List.of(record), (message, claim) -> ledger.enter(message));
                        saw.add(record.value() + ", delivery "
                                + record.deliveryCount().orElseThrow()
                                + (result.isSettled() ? ": accepted" : ": released"));
                        kafka.acknowledge(
                                record, result.isSettled() ? AcknowledgeType.ACCEPT : AcknowledgeType.RELEASE);
                    }
                }
            }
        }

        @Override
        public void close() {
            isClosing.set(true);
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
