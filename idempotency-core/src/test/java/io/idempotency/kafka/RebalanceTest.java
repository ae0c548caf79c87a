package io.idempotency.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.idempotency.FailurePolicy;
import io.idempotency.MessageHandler;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Members that come, go and are taken for dead, on a broker. */
class RebalanceTest {

    private final Loops loops = new Loops();
    private final ConcurrentLinkedQueue<String> handled = new ConcurrentLinkedQueue<>();

    @AfterEach
    void closeAll() {
        loops.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"classic", "consumer"})
    void survivesAHandlerThatOutlivesMaxPollInterval(String protocol) {
        String topic = Broker.topic(1);
        Map<String, Object> properties = Broker.consumer(protocol);
        properties.put("max.poll.interval.ms", 1_500);
        properties.put("session.timeout.ms", 1_500);
        properties.put("heartbeat.interval.ms", 200);
        if (protocol.equals("consumer")) {
            properties.remove("session.timeout.ms");
            properties.remove("heartbeat.interval.ms");
        }
        Broker.send(topic, 0, "a", "slow");
        Broker.send(topic, 0, "b", "next");
        AtomicBoolean secondTried = new AtomicBoolean();
        AtomicInteger runs = new AtomicInteger();
        MessageHandler<ConsumerRecord<String, String>> handler = (record, claim) -> {
            if (record.value().equals("slow") && runs.incrementAndGet() == 1) {
                // Until the other member owns the partition and waits for this claim.
                await().atMost(Duration.ofSeconds(30)).untilTrue(secondTried);
            }
            handled.add(record.value());
        };
        try (LogCapture logs = new LogCapture()) {
            loops.start(properties, topic, handler);
            await().until(() -> runs.get() == 1);
            loops.start(properties, topic, handler);
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> logs.all().stream().anyMatch(line -> line.contains("Transient failure")));
            secondTried.set(true);

            await().atMost(Duration.ofSeconds(20))
                    .untilAsserted(() ->
                            assertThat(Broker.committed(properties, topic, 0)).contains(2L));
            Broker.send(topic, 0, "c", "last");
            await().untilAsserted(() ->
                    assertThat(Broker.committed(properties, topic, 0)).contains(3L));
            assertThat(handled).containsExactly("slow", "next", "last");
            // The first member hears of it when it polls again.
            await().untilAsserted(
                            () -> assertThat(logs.warnings()).anyMatch(line -> line.contains("not committed yet")));
        }
    }

    @Test
    void keepsOrderAndLosesNothingWhenMembersJoinDuringABackOff() {
        String topic = Broker.topic(2);
        Map<String, Object> properties = Broker.consumer("classic");
        properties.put("partition.assignment.strategy", CooperativeStickyAssignor.class.getName());
        for (int i = 0; i < 20; i++) {
            Broker.send(topic, 0, "a" + i, "a" + i);
            Broker.send(topic, 1, "b" + i, "b" + i);
        }
        AtomicBoolean mended = new AtomicBoolean();
        AtomicInteger failures = new AtomicInteger();
        MessageHandler<ConsumerRecord<String, String>> handler = (record, claim) -> {
            if (!mended.get() && record.value().endsWith("7")) {
                failures.incrementAndGet();
                throw new IllegalStateException("scripted");
            }
            loops.store.transactions().afterCommit(() -> handled.add(record.value()));
        };
        start(properties, topic, handler);
        await().until(() -> failures.get() >= 2);
        start(properties, topic, handler);
        await().atMost(Duration.ofSeconds(20)).until(() -> Broker.hasOnePartitionEach(properties, 2));
        int before = failures.get();
        await().until(() -> failures.get() >= before + 4);
        mended.set(true);

        await().untilAsserted(() -> {
            assertThat(Broker.committed(properties, topic, 0)).contains(20L);
            assertThat(Broker.committed(properties, topic, 1)).contains(20L);
        });
        assertThat(of("a")).containsExactlyElementsOf(expected("a"));
        assertThat(of("b")).containsExactlyElementsOf(expected("b"));
    }

    private void start(
            Map<String, Object> properties, String topic, MessageHandler<ConsumerRecord<String, String>> handler) {
        loops.start(
                properties,
                topic,
                settings -> settings.failures(
                        FailurePolicy.quarantineAfter(1_000).backOff(Duration.ofMillis(100), Duration.ofMillis(300))),
                handler);
    }

    private List<String> of(String prefix) {
        return handled.stream().filter(value -> value.startsWith(prefix)).toList();
    }

    private static List<String> expected(String prefix) {
        List<String> values = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            values.add(prefix + i);
        }
        return values;
    }
}
