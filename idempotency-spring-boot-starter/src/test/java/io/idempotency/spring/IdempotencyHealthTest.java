package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.Standstill;
import io.idempotency.Standstills;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.memory.MemoryStore;
import io.idempotency.store.TransientStoreException;
import io.micrometer.observation.ObservationRegistry;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.boot.health.contributor.Status;

/** What health tells of consumers. */
class IdempotencyHealthTest {

    private static final Instant NOON = Instant.parse("2026-11-28T12:00:00Z");

    private final AtomicLong nanoTime = new AtomicLong();
    private final Standstills standstills = new Standstills(nanoTime::get, () -> NOON.plusNanos(nanoTime.get()));
    private final IdempotencyHealth health = new IdempotencyHealth(standstills, () -> null);
    private final IdempotentConsumer<ConsumerRecord<Object, Object>> consumer = KafkaRecords.<Object, Object>consumer(
                    "billing")
            .store(MemoryStore.create())
            .failures(FailurePolicy.leaveToCaller())
            .listener(standstills)
            .build();

    private void consume(RuntimeException... thrown) {
        ConsumerRecord<Object, Object> record = new ConsumerRecord<>("orders", 0, 7, "k", "v");
        record.headers().add("message-id", "secret".getBytes(StandardCharsets.UTF_8));
        consumer.consumeAll(List.of(record), (each, claim) -> {
            if (thrown.length > 0) {
                throw thrown[0];
            }
        });
    }

    private void losePatience() {
        nanoTime.addAndGet(Standstills.PATIENCE.plusSeconds(1).toNanos());
    }

    private static Map<String, Object> told(String state, Standstill.Reason reason, String why) {
        return Map.of(
                "state",
                state,
                "partitions",
                Map.of(
                        "orders-0",
                        Map.of(
                                "state",
                                state,
                                "at",
                                "orders-0@7",
                                "since",
                                "2026-11-28T12:00:00Z",
                                "reason",
                                reason.tag(),
                                "why",
                                why,
                                "help",
                                reason.help())));
    }

    @Test
    void tellsThatAConsumerRuns() {
        assertThat(health.health().getStatus()).isEqualTo(Status.UP);
        assertThat(health.health().getDetails()).containsOnly(entry("billing", Map.of("state", "runs")));
    }

    @Test
    @Tag("rule-7.11")
    void tellsForWhatAConsumerWaits() {
        consume(new TransientStoreException("signal of secret"));

        assertThat(health.health().getStatus()).isEqualTo(Status.UP);
        assertThat(health.health().getDetails())
                .containsOnly(entry(
                        "billing",
                        told("waits", Standstill.Reason.TRANSIENT, TransientStoreException.class.getName())));
    }

    @Test
    @Tag("rule-7.11")
    void tellsAtWhichMessageAConsumerStandsStillSinceWhenWhyAndWhatHelps() {
        consume(new IllegalStateException("around it", new IOException("no such account")));
        losePatience();

        assertThat(health.health().getStatus()).isEqualTo(Status.DOWN);
        assertThat(health.health().getDetails())
                .containsOnly(entry("billing", told("stands still", Standstill.Reason.FAILURE, "java.io.IOException")));
    }

    @Test
    void isUpAgainWhenThePartitionGoesOn() {
        consume(new IllegalStateException("no such account"));
        losePatience();

        consume();

        assertThat(health.health().getStatus()).isEqualTo(Status.UP);
        assertThat(health.health().getDetails()).containsOnly(entry("billing", Map.of("state", "runs")));
    }

    @Test
    @Tag("rule-7.8")
    void forgetsAPartitionThatSomebodyElseConsumes() {
        consume(new IllegalStateException("no such account"));
        losePatience();

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
                        new Observations(() -> ObservationRegistry.NOOP, true))
                .onPartitionsRevoked(List.of(new TopicPartition("orders", 0)));

        assertThat(health.health().getStatus()).isEqualTo(Status.UP);
        consume(new IllegalStateException("no such account"));
        losePatience();
        new PollListener(record -> {}, consumer).onPartitionsRevoked(List.of(new TopicPartition("orders", 0)));
        assertThat(health.health().getStatus()).isEqualTo(Status.UP);
    }
}
