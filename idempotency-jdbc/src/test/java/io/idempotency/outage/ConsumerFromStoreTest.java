package io.idempotency.outage;

import static io.idempotency.outage.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.jdbc.JdbcOffsets;
import io.idempotency.kafka.ConsumerFromStore;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.OffsetStore;
import io.idempotency.store.SettledRun;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
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
                "latest",
                "key.deserializer",
                StringDeserializer.class,
                "value.deserializer",
                StringDeserializer.class));
        return ConsumerFromStore.of(new KafkaConsumer<>(kafka), name, offsets, kafka);
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
