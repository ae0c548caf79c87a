package io.idempotency.spring;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.IdempotentConsumer;
import io.idempotency.Replayer;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.MessageIds;
import io.idempotency.memory.MemoryQuarantine;
import io.idempotency.memory.MemoryReplays;
import io.idempotency.memory.MemoryStore;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.QuarantinedMessage;
import io.micrometer.observation.ObservationRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.KafkaMessageListenerContainer;
import org.springframework.kafka.listener.MessageListener;

/** The record of a replay is made by the deserializers that the consumers of the container have. No broker is needed. */
@Tag("rule-9.27")
class ReplayedContainerTest {

    /** Reads text, and counts how often it is configured. */
    private static final class Counting implements Deserializer<Object> {

        private final AtomicInteger configured = new AtomicInteger();
        private boolean isClosed;

        @Override
        public void close() {
            isClosed = true;
        }

        @Override
        public void configure(Map<String, ?> properties, boolean isKey) {
            configured.incrementAndGet();
        }

        @Override
        public Object deserialize(String topic, byte[] data) {
            return new String(data, UTF_8) + " by " + configured.get();
        }
    }

    private final Map<String, Object> properties = Map.of(
            "bootstrap.servers",
            "localhost:1",
            "group.id",
            "billing",
            "key.deserializer",
            StringDeserializer.class,
            "value.deserializer",
            StringDeserializer.class.getName());
    private final List<Object> handled = new CopyOnWriteArrayList<>();

    @Test
    void ofClasses() {
        replay(new DefaultKafkaConsumerFactory<>(properties));

        assertThat(handled).containsExactly("a: A");
    }

    @Test
    void ofASupplierNewAndConfigured() {
        DefaultKafkaConsumerFactory<Object, Object> factory = new DefaultKafkaConsumerFactory<>(properties);
        factory.setValueDeserializerSupplier(Counting::new);

        replay(factory);

        assertThat(handled).containsExactly("a: A by 1");
    }

    @Test
    void ofASupplierThatHasConfiguredThem() {
        DefaultKafkaConsumerFactory<Object, Object> factory = new DefaultKafkaConsumerFactory<>(properties);
        factory.setValueDeserializerSupplier(Counting::new);
        factory.setConfigureDeserializers(false);

        replay(factory);

        assertThat(handled).containsExactly("a: A by 0");
    }

    /** Its consumers have configured it, and go on with it. */
    @Test
    void thatAllConsumersShare() {
        DefaultKafkaConsumerFactory<Object, Object> factory = new DefaultKafkaConsumerFactory<>(properties);
        Counting shared = new Counting();
        factory.setKeyDeserializer(shared);

        replay(factory);

        assertThat(handled).containsExactly("a by 0: A");
        assertThat(shared.isClosed).isFalse();
    }

    private void replay(DefaultKafkaConsumerFactory<Object, Object> factory) {
        MemoryStore store = MemoryStore.create();
        MemoryQuarantine quarantine = new MemoryQuarantine(store);
        MemoryReplays replays = new MemoryReplays(store, quarantine);
        IdempotentConsumer<ConsumerRecord<Object, Object>> consumer = KafkaRecords.<Object, Object>consumer("billing")
                .messageId(MessageIds.record(record -> "A-1"))
                .store(store)
                .quarantine(quarantine)
                .build();
        quarantine.save(new QuarantinedMessage(
                new Delivery(new MessageId("billing", "A-1"), new Position("orders", 0, 7)),
                new Payload(new byte[] {'a'}, new byte[] {'A'}, List.of(), Payload.Origin.RAW),
                new QuarantineFailure("some.Failure", "A", "text"),
                1));
        MessageListener<Object, Object> listener = record -> handled.add(record.key() + ": " + record.value());
        FittedContainer fitted = new FittedContainer(
                consumer,
                new SettledRecords(),
                new PollTime(Duration.ofMinutes(1), System::nanoTime),
                Optional.empty(),
                false,
                false,
                false,
                of -> new RecordListener(listener, of, new Observations(() -> ObservationRegistry.NOOP, true)));
        var container = new KafkaMessageListenerContainer<>(factory, new ContainerProperties("orders"));
        try (ReplayedContainer replayed = new ReplayedContainer(
                        container, fitted, new Observations(() -> ObservationRegistry.NOOP, true));
                Replayer<ConsumerRecord<Object, Object>> replayer = Replayer.of(consumer, replays)) {
            String id = replays.request(ReplayRequest.of(QuarantineSelection.of("billing")))
                    .request()
                    .id();
            replayer.start((entry, replay) -> replayed.handle(entry, replay, replayer.consumer()));
            ListenerBench.await()
                    .until(() -> replays.find(id).orElseThrow().status().hasEnded());
        }
    }
}
