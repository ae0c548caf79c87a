package io.idempotency.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.idempotency.FailurePolicy;
import io.idempotency.memory.MemoryQuarantine;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.QuarantinedMessage;
import io.idempotency.store.TransientStoreException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The ready loop against a broker. */
class PollLoopTest {

    /** A value that is not four bytes makes the poll throw. */
    public static final class FourBytes implements Deserializer<String> {
        @Override
        public String deserialize(String topic, byte[] data) {
            if (data.length != 4) {
                throw new IllegalArgumentException("not four bytes");
            }
            return new String(data, UTF_8);
        }
    }

    private final Loops loops = new Loops();
    private final List<String> handled = new CopyOnWriteArrayList<>();
    private final MemoryQuarantine quarantine = new MemoryQuarantine(loops.store);

    @AfterEach
    void closeAll() {
        loops.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"classic", "consumer"})
    void handlesEveryMessageOnceAlthoughItIsSentTwice(String protocol) {
        String topic = Broker.topic(2);
        Map<String, Object> properties = Broker.consumer(protocol);
        Broker.send(topic, 0, "a", "1");
        Broker.send(topic, 0, "b", "2");
        Broker.send(topic, 0, "a", "1");
        Broker.send(topic, 1, "c", "3");

        loops.start(properties, topic, (record, claim) -> handled.add(record.value()));

        await().untilAsserted(() -> {
            assertThat(handled).containsExactlyInAnyOrder("1", "2", "3");
            assertThat(Broker.committed(properties, topic, 0)).contains(3L);
            assertThat(Broker.committed(properties, topic, 1)).contains(1L);
        });
    }

    @Test
    void keepsTheOrderOfAPartitionThroughFailuresAndLetsTheOtherGoOn() {
        String topic = Broker.topic(2);
        Map<String, Object> properties = Broker.consumer("classic");
        for (int i = 0; i < 5; i++) {
            Broker.send(topic, 0, "a" + i, "a" + i);
            Broker.send(topic, 1, "b" + i, "b" + i);
        }
        CountDownLatch otherIsDone = new CountDownLatch(5);
        AtomicInteger tries = new AtomicInteger();

        loops.start(
                properties,
                topic,
                settings -> settings.failures(FailurePolicy.quarantineAfter(100)),
                (record, claim) -> {
                    if (record.value().equals("a2") && (tries.incrementAndGet() < 3 || otherIsDone.getCount() > 0)) {
                        throw new IllegalStateException("scripted");
                    }
                    handled.add(record.value());
                    if (record.partition() == 1) {
                        otherIsDone.countDown();
                    }
                });

        await().untilAsserted(() -> {
            assertThat(Broker.committed(properties, topic, 0)).contains(5L);
            assertThat(Broker.committed(properties, topic, 1)).contains(5L);
        });
        assertThat(lastRuns("a")).containsExactly("a0", "a1", "a2", "a3", "a4");
        assertThat(lastRuns("b")).containsExactly("b0", "b1", "b2", "b3", "b4");
    }

    @Test
    void outlastsTransientFailuresWithoutQuarantine() {
        String topic = Broker.topic(1);
        Map<String, Object> properties = Broker.consumer("classic");
        Broker.send(topic, 0, "a", "1");
        AtomicInteger tries = new AtomicInteger();

        loops.start(
                properties,
                topic,
                settings -> settings.quarantine(quarantine).failures(FailurePolicy.quarantineAfter(1)),
                (record, claim) -> {
                    if (tries.incrementAndGet() < 3) {
                        throw new TransientStoreException("scripted");
                    }
                    handled.add(record.value());
                });

        await().untilAsserted(
                        () -> assertThat(Broker.committed(properties, topic, 0)).contains(1L));
        assertThat(handled).containsExactly("1");
        assertThat(quarantine.list("billing", 10)).isEmpty();
    }

    @Test
    void quarantinesEveryUnusableIdByPositionAndGoesOn() {
        String topic = Broker.topic(1);
        Map<String, Object> properties = Broker.consumer("classic");
        Broker.send(new ProducerRecord<>(topic, 0, Broker.bytes("k"), Broker.bytes("missing")));
        Broker.send(topic, 0, " ", "blank");
        Broker.send(topic, 0, "x".repeat(5 * 1024), "long");
        ProducerRecord<byte[], byte[]> malformed = new ProducerRecord<>(topic, 0, null, Broker.bytes("malformed"));
        malformed.headers().add("message-id", new byte[] {(byte) 0xff});
        Broker.send(malformed);
        Broker.send(topic, 0, "line\nbreak", "control");
        Broker.send(topic, 0, "good", "good");

        loops.start(
                properties,
                topic,
                settings -> settings.quarantine(quarantine).standStillAfter(100),
                (record, claim) -> handled.add(record.value()));

        await().untilAsserted(
                        () -> assertThat(Broker.committed(properties, topic, 0)).contains(6L));
        assertThat(handled).containsExactly("good");
        assertThat(quarantined())
                .hasSize(5)
                .allSatisfy(message -> assertThat(message.failure().text())
                        .contains(message.delivery().position().toString())
                        .contains(topic + "-0@" + message.delivery().position().offset()));
    }

    @Test
    void quarantinesARecordThatWasDeserializedWithItsBytes() {
        String topic = Broker.topic(1);
        Map<String, Object> properties = Broker.consumer("classic");
        Broker.send(topic, 0, "a", "good");
        Broker.send(topic, 0, "b", "poison");

        loops.start(
                properties,
                topic,
                settings -> settings.quarantine(quarantine).failures(FailurePolicy.quarantineAfter(1)),
                (record, claim) -> {
                    if (record.value().equals("poison")) {
                        throw new IllegalStateException("scripted");
                    }
                });

        await().untilAsserted(
                        () -> assertThat(Broker.committed(properties, topic, 0)).contains(2L));
        Payload kept = quarantine
                .find(new MessageId("billing", "b"))
                .orElseThrow()
                .message()
                .payload();
        assertThat(kept.origin()).isEqualTo(Payload.Origin.REREAD);
        assertThat(kept.value()).asString(UTF_8).isEqualTo("poison");
        assertThat(kept.key()).asString(UTF_8).isEqualTo("b");
    }

    @Test
    void handlesTombstones() {
        String topic = Broker.topic(1);
        Map<String, Object> properties = Broker.consumer("classic");
        ProducerRecord<byte[], byte[]> tombstone = new ProducerRecord<>(topic, 0, Broker.bytes("k"), null);
        tombstone.headers().add("message-id", Broker.bytes("a"));
        Broker.send(tombstone);

        loops.start(properties, topic, (record, claim) -> handled.add(Loops.text(record)));

        await().untilAsserted(
                        () -> assertThat(Broker.committed(properties, topic, 0)).contains(1L));
        assertThat(handled).containsExactly("(tombstone)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"classic", "consumer"})
    void quarantinesAValueThatCannotBeDeserializedAndGoesOn(String protocol) {
        String topic = Broker.topic(1);
        Map<String, Object> properties = Broker.consumer(protocol);
        properties.put("value.deserializer", FourBytes.class);
        Broker.send(topic, 0, "a", "good");
        Broker.send(topic, 0, "b", "bad");
        Broker.send(topic, 0, "c", "fine");

        loops.start(
                properties,
                topic,
                settings -> settings.quarantine(quarantine).failures(FailurePolicy.quarantineAfter(2)),
                (record, claim) -> handled.add(record.value()));

        await().untilAsserted(
                        () -> assertThat(Broker.committed(properties, topic, 0)).contains(3L));
        assertThat(handled).containsExactly("good", "fine");
        QuarantinedMessage kept =
                quarantine.find(new MessageId("billing", "b")).orElseThrow().message();
        assertThat(kept.payload().value()).asString(UTF_8).isEqualTo("bad");
        assertThat(kept.payload().key()).asString(UTF_8).isEqualTo("b");
        assertThat(kept.payload().origin()).isEqualTo(Payload.Origin.RAW);
        assertThat(kept.failure().text()).contains(topic + "-0").contains("offset 1");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @Tag("rule-2.8")
    void keepsWhatCannotBeReadOfATopicThatWasCreatedAgainToo(boolean isDeserialized) {
        String topic = Broker.topic(1);
        for (String value : List.of("first", "other")) {
            Map<String, Object> properties = Broker.consumer("classic");
            properties.put("value.deserializer", isDeserialized ? StringDeserializer.class : FourBytes.class);
            Broker.send(new ProducerRecord<>(topic, 0, null, Broker.bytes(value)));
            PollLoop<String, String> loop = loops.start(
                    properties,
                    topic,
                    settings -> settings.quarantine(quarantine).failures(FailurePolicy.quarantineAfter(1)),
                    (record, claim) -> handled.add(record.value()));
            await().untilAsserted(() ->
                    assertThat(Broker.committed(properties, topic, 0)).contains(1L));
            loop.close();
            Broker.createAgain(topic, 1);
        }

        assertThat(handled).isEmpty();
        assertThat(quarantine.list("billing", 10))
                .extracting(id -> new String(
                        quarantine.find(id).orElseThrow().message().payload().value(), UTF_8))
                .containsExactly("first", "other");
    }

    @Test
    void standsStillAtAValueThatCannotBeDeserializedWithoutQuarantine() {
        String topic = Broker.topic(2);
        Map<String, Object> properties = Broker.consumer("classic");
        properties.put("value.deserializer", FourBytes.class);
        Broker.send(topic, 0, "a", "good");
        Broker.send(topic, 0, "b", "bad");
        Broker.send(topic, 0, "c", "fine");

        loops.start(
                properties,
                topic,
                settings -> settings.failures(FailurePolicy.quarantineAfter(1)),
                (record, claim) -> handled.add(record.value()));
        await().untilAsserted(
                        () -> assertThat(Broker.committed(properties, topic, 0)).contains(1L));
        Broker.send(topic, 1, "d", "next");

        await().untilAsserted(
                        () -> assertThat(Broker.committed(properties, topic, 1)).contains(1L));
        assertThat(handled).containsExactly("good", "next");
        assertThat(Broker.committed(properties, topic, 0)).contains(1L);
    }

    @ParameterizedTest
    @ValueSource(strings = {"classic", "consumer"})
    void finishesAndCommitsWhatItHandlesWhenItIsClosed(String protocol) throws Exception {
        String topic = Broker.topic(1);
        Map<String, Object> properties = Broker.consumer(protocol);
        Broker.send(topic, 0, "a", "1");
        Broker.send(topic, 0, "b", "2");
        CountDownLatch inHandler = new CountDownLatch(1);
        CountDownLatch mayEnd = new CountDownLatch(1);
        PollLoop<String, String> loop = loops.start(properties, topic, (record, claim) -> {
            inHandler.countDown();
            mayEnd.await();
            handled.add(record.value());
        });
        inHandler.await();
        Thread closing = new Thread(loop::close);
        closing.start();
        await().until(() -> closing.getState() == Thread.State.TIMED_WAITING);
        mayEnd.countDown();
        closing.join();

        assertThat(Broker.committed(properties, topic, 0)).isEqualTo(Optional.of((long) handled.size()));
        assertThat(handled).isNotEmpty();
    }

    /** The successful runs: an earlier run of the same message was rolled back. */
    private List<String> lastRuns(String prefix) {
        List<String> runs =
                handled.stream().filter(value -> value.startsWith(prefix)).toList();
        return runs.subList(runs.lastIndexOf(prefix + "0"), runs.size()).stream()
                .distinct()
                .toList();
    }

    private List<QuarantinedMessage> quarantined() {
        return quarantine.list("billing", 10).stream()
                .map(id -> quarantine.find(id).orElseThrow().message())
                .toList();
    }
}
