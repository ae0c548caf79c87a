package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.IdempotentConsumer;
import io.idempotency.TransactionPer;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.MessageIds;
import io.idempotency.memory.MemoryQuarantine;
import io.idempotency.memory.MemoryReplays;
import io.idempotency.memory.MemoryStore;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.replay.ReplayStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.QuarantinedMessage;
import io.micrometer.observation.ObservationRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.support.DefaultListableBeanFactory;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.listener.BatchInterceptor;
import org.springframework.kafka.listener.BatchMessageListener;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.KafkaMessageListenerContainer;
import org.springframework.kafka.listener.MessageListener;

/** The containers of a listener and its replays. No broker is needed. */
class ListenerReplaysTest {

    private final Observations observations = new Observations(() -> ObservationRegistry.NOOP, true);
    private final MemoryStore store = MemoryStore.create();
    private final MemoryQuarantine quarantine = new MemoryQuarantine(store);
    private final MemoryReplays replays = new MemoryReplays(store, quarantine);
    private final List<String> seen = new CopyOnWriteArrayList<>();
    private final IdempotentConsumer<ConsumerRecord<Object, Object>> consumer = KafkaRecords.<Object, Object>consumer(
                    "billing")
            .transactionPer(TransactionPer.POLL)
            .messageId(MessageIds.record(record -> String.valueOf(record.value())))
            .store(store)
            .quarantine(quarantine)
            .build();

    /** A container that runs, or is stopped, without a broker. */
    private static final class Container extends KafkaMessageListenerContainer<Object, Object> {

        private final boolean isRunning;

        Container(boolean isRunning) {
            super(
                    new DefaultKafkaConsumerFactory<>(Map.of(
                            "bootstrap.servers",
                            "localhost:1",
                            "key.deserializer",
                            StringDeserializer.class,
                            "value.deserializer",
                            StringDeserializer.class)),
                    new ContainerProperties("orders"));
            this.isRunning = isRunning;
        }

        @Override
        public boolean isRunning() {
            return isRunning;
        }
    }

    private FittedContainer fitted(boolean isBatch, Function<FittedContainer, Object> front) {
        return new FittedContainer(
                consumer,
                new SettledRecords(),
                new PollTime(Duration.ofMinutes(1), System::nanoTime),
                Optional.empty(),
                isBatch,
                false,
                false,
                front);
    }

    private FittedContainer records(String container) {
        MessageListener<Object, Object> listener = record -> seen.add(container + " " + record.value());
        return fitted(false, of -> new RecordListener(listener, of, observations));
    }

    private FittedContainer batches() {
        BatchMessageListener<Object, Object> listener =
                records -> records.forEach(record -> seen.add("batch " + record.value()));
        return fitted(true, of -> new BatchListener(listener, of.consumer(), false));
    }

    private void replay(String value, Container... containers) {
        quarantine.save(new QuarantinedMessage(
                new Delivery(new MessageId("billing", value), new Position("orders", 0, 7)),
                new Payload(
                        null, value.getBytes(java.nio.charset.StandardCharsets.UTF_8), List.of(), Payload.Origin.RAW),
                new QuarantineFailure("some.Failure", "A", "text"),
                1));
        DefaultListableBeanFactory beans = new DefaultListableBeanFactory();
        beans.registerSingleton("replays", replays);
        ListenerReplays all = new ListenerReplays(beans.getBeanProvider(ReplayStore.class), observations);
        for (Container container : containers) {
            boolean isBatch = container.getBatchInterceptor() != null;
            all.add(container, isBatch ? batches() : records(container.isRunning() ? "new" : "old"));
        }
        String id = replays.request(ReplayRequest.of(QuarantineSelection.of("billing")))
                .request()
                .id();
        all.start();
        try {
            ListenerBench.await()
                    .until(() -> replays.find(id).orElseThrow().status().hasEnded());
        } finally {
            all.stop();
        }
    }

    @Test
    @Tag("rule-9.24")
    void goOnInTheContainerThatAProgramMadeInsteadOfAStoppedOne() {
        replay("A-1", new Container(false), new Container(true));

        assertThat(seen).containsExactly("new A-1");
    }

    @Test
    @Tag("rule-9.20")
    void tellABatchInterceptorOfTheRecordsThatItReturned() {
        Container container = new Container(true);
        container.setBatchInterceptor(new BatchInterceptor<>() {
            @Override
            public ConsumerRecords<Object, Object> intercept(
                    ConsumerRecords<Object, Object> records, Consumer<Object, Object> kafka) {
                seen.add("intercept");
                List<ConsumerRecord<Object, Object>> copies = new ArrayList<>();
                records.forEach(copies::add);
                return new Copies(copies);
            }

            @Override
            public void success(ConsumerRecords<Object, Object> records, Consumer<Object, Object> kafka) {
                seen.add("success " + (records instanceof Copies));
            }
        });

        replay("A-1", container);

        assertThat(seen).containsExactly("intercept", "batch A-1", "success true");
    }

    private static final class Copies extends ConsumerRecords<Object, Object> {

        Copies(List<ConsumerRecord<Object, Object>> records) {
            super(Map.of(new TopicPartition("orders", 0), records), Map.of());
        }
    }

    @Test
    @Tag("rule-9.22")
    void tellABatchInterceptorThatTookTheRecordsAwayOfNoSuccess() {
        Container container = new Container(true);
        container.setBatchInterceptor(new BatchInterceptor<>() {
            @Override
            public @Nullable ConsumerRecords<Object, Object> intercept(
                    ConsumerRecords<Object, Object> records, Consumer<Object, Object> kafka) {
                return null;
            }

            @Override
            public void success(ConsumerRecords<Object, Object> records, Consumer<Object, Object> kafka) {
                seen.add("success");
            }
        });

        replay("A-1", container);

        assertThat(seen).isEmpty();
        assertThat(quarantine.list("billing", 10)).isEmpty();
    }

    /** As on a thread of a common pool in an executable jar. */
    @Test
    void findTheirInterfacesOnAThreadWithAnotherClassLoader() {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        thread.setContextClassLoader(ClassLoader.getPlatformClassLoader());
        try {
            DefaultListableBeanFactory beans = new DefaultListableBeanFactory();

            assertThat(NoConsumer.of(new Container(true)).assignment()).isEmpty();
            assertThat(WakingReplays.of(replays, beans.getBeanProvider(ListenerReplays.class))
                            .list("billing", 1))
                    .isEmpty();
            assertThat(ShadowListener.beside((MessageListener<Object, Object>) record -> {}, consumer))
                    .isInstanceOf(MessageListener.class);
        } finally {
            thread.setContextClassLoader(before);
        }
    }
}
