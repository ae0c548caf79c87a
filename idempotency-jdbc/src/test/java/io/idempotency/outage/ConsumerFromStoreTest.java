package io.idempotency.outage;

import static io.idempotency.outage.Eventually.eventually;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.jdbc.JdbcOffsets;
import io.idempotency.kafka.ConsumerFromStore;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.kafka.RecordProcessor;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.OffsetStore;
import io.idempotency.store.SettledRun;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RecordDeserializationException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A loop of somebody else around a consumer that begins behind settled offsets, by each protocol of a group. */
@ExtendWith(LongOutage.class)
class ConsumerFromStoreTest {

    private static final int SOME = 10;

    private final String name = Ledger.anyConsumer();
    private final Ledger ledger = Ledger.open(name, Postgres.shared().url(), 2);
    private final String topic = Kafka.topic(1);
    private final AtomicReference<@Nullable Supplier<RuntimeException>> failure = new AtomicReference<>();
    /** Fails once if it is told to. */
    private final OffsetStore offsets = new OffsetStore() {

        private final OffsetStore store = JdbcOffsets.on(ledger.pool());

        @Override
        public List<SettledRun> runs(String consumer) {
            Supplier<RuntimeException> planned = failure.getAndSet(null);
            if (planned != null) {
                throw planned.get();
            }
            return store.runs(consumer);
        }

        @Override
        public List<SettledRun> store(String consumer, List<SettledRun> runs, long token) {
            return store.store(consumer, runs, token);
        }
    };

    @AfterEach
    void close() {
        ledger.close();
    }

    private Consumer<String, String> consumer(String protocol) {
        return consumer(protocol, "latest", kafka -> kafka);
    }

    private Consumer<String, String> consumer(
            String protocol, String reset, UnaryOperator<Consumer<String, String>> around) {
        Map<String, Object> kafka = new HashMap<>(Map.of(
                "bootstrap.servers",
                Kafka.servers(),
                "group.id",
                name,
                "group.protocol",
                protocol,
                "enable.auto.commit",
                "false",
                "auto.offset.reset",
                reset,
                "key.deserializer",
                StringDeserializer.class,
                "value.deserializer",
                StringDeserializer.class));
        Consumer<String, String> real = new KafkaConsumer<>(
                kafka, new StringDeserializer(), (ignored, value) -> readable(new String(value, UTF_8)));
        return ConsumerFromStore.of(around.apply(real), name, offsets, kafka);
    }

    private static String readable(String value) {
        if (value.startsWith("unreadable")) {
            throw new SerializationException(value);
        }
        return value;
    }

    /** Polls and commits until it has come to this offset. Returns the offsets of the records. */
    private List<Long> pollUpTo(Consumer<String, String> kafka, long end) {
        List<Long> polled = new ArrayList<>();
        eventually().until(() -> {
            try {
                for (ConsumerRecord<String, String> record : kafka.poll(Duration.ofMillis(100))) {
                    polled.add(record.offset());
                    kafka.commitSync(Map.of(
                            new TopicPartition(topic, record.partition()), new OffsetAndMetadata(record.offset() + 1)));
                }
            } catch (WakeupException | InterruptException goesOn) {
                // As a loop that was not asked to end.
            }
            boolean unused = Thread.interrupted();
            return Kafka.committedOfFirst(name) == end;
        });
        return polled;
    }

    private void settle(String protocol) {
        try (Consumer<String, String> kafka = consumer(protocol)) {
            kafka.subscribe(List.of(topic));
            eventually().until(() -> {
                kafka.poll(Duration.ofMillis(100));
                return !offsets.runs(name).isEmpty();
            });
            Kafka.send(topic, 0, name, SOME);
            pollUpTo(kafka, SOME);
        }
        Kafka.deleteGroup(name);
        Kafka.send(topic, 0, name + "-more", SOME);
    }

    private static List<Long> second() {
        List<Long> offsets = new ArrayList<>();
        for (long offset = SOME; offset < 2 * SOME; offset++) {
            offsets.add(offset);
        }
        return offsets;
    }

    @ParameterizedTest
    @ValueSource(strings = {"classic", "consumer"})
    @Tag("rule-16.7")
    void goesOnBehindWhatItsLoopHasCommitted(String protocol) {
        settle(protocol);

        try (Consumer<String, String> kafka = consumer(protocol)) {
            kafka.subscribe(List.of(topic));
            assertThat(pollUpTo(kafka, 2 * SOME)).isEqualTo(second());
        }
    }

    /** Kafka would read the committed offset again after this consumer has. */
    @Test
    @Tag("rule-16.2")
    @SuppressWarnings("unchecked")
    void leavesOutNothingIfTheOffsetsAreDeletedWhileItBegins() {
        settle("classic");
        Kafka.setOffsets(name, topic, 1, SOME);

        AtomicBoolean isDeleted = new AtomicBoolean();
        UnaryOperator<Consumer<String, String>> around = real -> (Consumer<String, String>) Proxy.newProxyInstance(
                Consumer.class.getClassLoader(), new Class<?>[] {Consumer.class}, (proxy, method, given) -> {
                    try {
                        Object result = method.invoke(real, given);
                        if (method.getName().equals("committed") && isDeleted.compareAndSet(false, true)) {
                            Kafka.removeMembers(name);
                            Kafka.deleteGroup(name);
                        }
                        return result;
                    } catch (InvocationTargetException failed) {
                        throw failed.getCause();
                    }
                });
        try (Consumer<String, String> kafka = consumer("classic", "latest", around)) {
            kafka.subscribe(List.of(topic));
            Set<Long> polled = new HashSet<>();
            eventually().until(() -> {
                kafka.poll(Duration.ofMillis(100)).forEach(record -> polled.add(record.offset()));
                return polled.containsAll(second());
            });
        }
        assertThat(isDeleted).isTrue();
    }

    @Test
    @Tag("rule-16.8")
    void aRejectedRecordDoesNotEndTheRun() {
        Kafka.send(topic, 0, name, SOME);
        Kafka.send(topic, 0, "unreadable");
        Kafka.send(topic, 0, name + "-more", SOME);
        try (IdempotentConsumer<ConsumerRecord<String, String>> idempotent = KafkaRecords.<String, String>consumer(name)
                        .store(ledger.store())
                        .quarantine(new Watch())
                        .failures(failed -> FailurePolicy.Decision.quarantine())
                        .build();
                Consumer<String, String> kafka = consumer("classic", "earliest", real -> real)) {
            RecordProcessor<String, String> processor =
                    RecordProcessor.of(idempotent, (message, claim) -> ledger.enter(message));
            kafka.subscribe(List.of(topic));
            eventually().until(() -> {
                try {
                    processor.process(kafka, kafka.poll(Duration.ofMillis(100)));
                } catch (RecordDeserializationException unreadable) {
                    processor.reject(kafka, unreadable);
                }
                return Kafka.committedOfFirst(name) == 2 * SOME + 1;
            });
        }
        assertThat(offsets.runs(name)).singleElement().satisfies(run -> {
            assertThat(run.begin()).isZero();
            assertThat(run.end()).isEqualTo(2 * SOME + 1);
        });
    }

    /** A loop may go on then, and nobody tells it of its partitions again. */
    @ParameterizedTest
    @CsvSource({"classic,true", "classic,false", "consumer,true", "consumer,false"})
    @Tag("rule-16.6")
    void skipsNothingIfItIsWokenUpWhileItBegins(String protocol, boolean isWakeup) {
        settle(protocol);

        try (Consumer<String, String> kafka = consumer(protocol)) {
            kafka.subscribe(List.of(topic));
            failure.set(isWakeup ? WakeupException::new : () -> new InterruptException("as planned"));
            assertThat(pollUpTo(kafka, 2 * SOME)).isEqualTo(second());
        }
        assertThat(failure.get()).isNull();
    }

    @Test
    void refusesWhatItCannotDo() {
        try (Consumer<String, String> kafka = consumer("classic")) {
            assertThatThrownBy(() -> kafka.assign(List.of(new TopicPartition(topic, 0))))
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("assigned by hand");
            assertThatThrownBy(kafka::commitSync)
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("Name the offsets");
            assertThatThrownBy(kafka::commitAsync).isInstanceOf(IdempotencyException.class);
            assertThat(Set.of(kafka).contains(kafka)).isTrue();
        }
    }
}
