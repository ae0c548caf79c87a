package io.idempotency.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.idempotency.Duplicate;
import io.idempotency.FailurePolicy;
import io.idempotency.ResendCheck.Policy;
import io.idempotency.ResendCheck.Result;
import io.idempotency.memory.MemoryQuarantine;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Records with one id, compared as they are in Kafka. */
@Tag("rule-2.14")
class PayloadCheckTest {

    private final String topic = Broker.topic(1);
    private final RecordReread reread = RecordReread.of(Broker.consumer("classic"));

    @AfterEach
    void close() {
        reread.close();
    }

    private PayloadCheck.Builder check() {
        return PayloadCheck.of(Policy.SKIP).reread(reread);
    }

    /** As a deserializer may return it: not what is compared. */
    private ConsumerRecord<String, String> at(long offset) {
        return new ConsumerRecord<>(topic, 0, offset, "k", "deserialized");
    }

    private Duplicate resendOf(long offset, Duration age) {
        return new Duplicate(Duplicate.Kind.RESEND, new Position(topic, 0, offset), age);
    }

    private Result compare(PayloadCheck check, long offset) {
        return check.compare(at(offset), resendOf(0, Duration.ZERO));
    }

    @Test
    void comparesTheBytesOfTheValues() {
        Broker.send(topic, 0, "a", "100 EUR");
        Broker.send(topic, 0, "a", "100 EUR");
        Broker.send(topic, 0, "a", "200 EUR");

        assertThat(compare(check().build(), 1)).isEqualTo(Result.SAME);
        assertThat(compare(check().build(), 2)).isEqualTo(Result.DIFFERENT);
    }

    @Test
    void takesTheBytesOfARecordThatHasThem() {
        Broker.send(topic, 0, "a", "100 EUR");
        ConsumerRecord<byte[], byte[]> raw =
                new ConsumerRecord<>(topic, 0, 999, Broker.bytes("a"), Broker.bytes("100 EUR"));

        assertThat(check().build().compare(raw, resendOf(0, Duration.ZERO))).isEqualTo(Result.SAME);
    }

    @Test
    void comparesWhatAFunctionTakes() {
        Broker.send(topic, 0, "a", "100 EUR, sent at 9:00");
        Broker.send(topic, 0, "a", "100 EUR, sent at 9:01");
        PayloadCheck check = check().content(record ->
                        Broker.bytes(new String(record.value(), 0, 7, java.nio.charset.StandardCharsets.UTF_8)))
                .build();

        assertThat(compare(check, 1)).isEqualTo(Result.SAME);
    }

    @Test
    void knowsNothingOfARecordThatIsGone() {
        Broker.send(topic, 0, "a", "first");
        Broker.send(topic, 0, "a", "second");
        Broker.join(Broker.ADMIN
                .deleteRecords(Map.of(new TopicPartition(topic, 0), RecordsToDelete.beforeOffset(1)))
                .all());

        assertThat(compare(check().build(), 1)).isEqualTo(Result.UNKNOWN);
    }

    /** The first one was processed before any record of this topic was sent. */
    @Test
    void knowsNothingIfTheTopicWasCreatedAgain() {
        Broker.send(topic, 0, "b", "of the new topic");
        Broker.send(topic, 0, "a", "first");

        assertThat(check().build().compare(at(1), resendOf(0, Duration.ofHours(1))))
                .isEqualTo(Result.UNKNOWN);
    }

    @Test
    void comparesSoManyASecond() {
        Broker.send(topic, 0, "a", "100 EUR");
        Broker.send(topic, 0, "a", "100 EUR");
        AtomicLong nanos = new AtomicLong();
        PayloadCheck check = check().perSecond(2).nanoTime(nanos::get).build();

        assertThat(List.of(compare(check, 1), compare(check, 1), compare(check, 1)))
                .containsExactly(Result.SAME, Result.SAME, Result.UNCHECKED);
        nanos.addAndGet(Duration.ofSeconds(1).toNanos());
        assertThat(compare(check, 1)).isEqualTo(Result.SAME);
    }

    @Test
    void saysWhatItNeeds() {
        assertThatThrownBy(() -> PayloadCheck.of(Policy.SKIP).perSecond(0).build())
                .isInstanceOf(IdempotencyException.class);
        assertThatThrownBy(() -> compare(PayloadCheck.of(Policy.SKIP).build(), 1))
                .isInstanceOf(IdempotencyException.class)
                .hasMessageContaining("reread(");
    }

    @Test
    void quarantinesAnotherMessageThatALoopHasPolled() {
        List<String> handled = new CopyOnWriteArrayList<>();
        Map<String, Object> properties = Broker.consumer("classic");
        Broker.send(topic, 0, "a", "100 EUR");
        Broker.send(topic, 0, "a", "100 EUR");
        Broker.send(topic, 0, "a", "200 EUR");
        Broker.send(topic, 0, "b", "300 EUR");
        try (Loops loops = new Loops()) {
            MemoryQuarantine quarantine = new MemoryQuarantine(loops.store);
            loops.start(
                    properties,
                    topic,
                    settings -> settings.quarantine(quarantine)
                            .failures(FailurePolicy.quarantineAfter(1))
                            .resends(PayloadCheck.of(Policy.QUARANTINE).build()),
                    (record, claim) -> handled.add(record.value()));

            await().untilAsserted(() ->
                    assertThat(Broker.committed(properties, topic, 0)).contains(4L));
            assertThat(handled).containsExactly("100 EUR", "300 EUR");
            List<MessageId> kept = quarantine.list("billing", 10);
            assertThat(kept).hasSize(1);
            assertThat(quarantine.find(kept.get(0))).hasValueSatisfying(entry -> {
                assertThat(entry.message().delivery().position()).isEqualTo(new Position(topic, 0, 2));
                assertThat(entry.message().payload().value()).isEqualTo(Broker.bytes("200 EUR"));
            });
        }
    }
}
