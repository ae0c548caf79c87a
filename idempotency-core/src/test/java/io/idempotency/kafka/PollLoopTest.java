package io.idempotency.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.idempotency.IdempotentConsumer;
import io.idempotency.MessageHandler;
import io.idempotency.store.MemoryStore;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The ready loop against a broker, in both kinds of consumer groups. */
class PollLoopTest {

    private final List<AutoCloseable> open = new CopyOnWriteArrayList<>();
    private final List<String> handled = new CopyOnWriteArrayList<>();
    private final MemoryStore store = MemoryStore.create();

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable each : open) {
            each.close();
        }
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

        start(properties, topic, (record, claim) -> handled.add(record.value()));

        await().untilAsserted(() -> {
            assertThat(handled).containsExactlyInAnyOrder("1", "2", "3");
            assertThat(Broker.committed(properties, topic, 0)).isEqualTo(Optional.of(3L));
            assertThat(Broker.committed(properties, topic, 1)).isEqualTo(Optional.of(1L));
        });
    }

    private PollLoop<String, String> start(
            Map<String, Object> properties, String topic, MessageHandler<ConsumerRecord<String, String>> handler) {
        IdempotentConsumer<ConsumerRecord<String, String>> consumer =
                KafkaRecords.<String, String>consumer("billing").store(store).build();
        PollLoop<String, String> loop = PollLoop.of(consumer, handler)
                .properties(properties)
                .topics(topic)
                .pollTimeout(Duration.ofMillis(100))
                .build();
        Thread thread = new Thread(loop, "poll-loop");
        thread.start();
        open.add(loop);
        return loop;
    }
}
