package io.idempotency.streams;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.StoredId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Properties;
import java.util.UUID;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.processor.Punctuator;
import org.apache.kafka.streams.processor.TaskId;
import org.apache.kafka.streams.processor.api.MockProcessorContext;
import org.apache.kafka.streams.processor.api.MockProcessorContext.CapturedPunctuator;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The memory of a task over RocksDB. */
class IdMemoryTest {

    private static final long NOW = 1_795_953_600_000L;
    private static final Duration DAY = Duration.ofDays(1);
    private static final Duration FIRST_PASS = Duration.ofMillis(100);
    private static final int A_PART = 10_000;

    @TempDir
    private Path folder;

    private static Properties settings() {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "ids");
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        return settings;
    }

    private static UUID id(int number) {
        return StoredId.of("id-" + number);
    }

    /** A task with ids in its store when it begins. */
    private final class Task implements AutoCloseable {

        private final MockProcessorContext<Void, Void> context =
                new MockProcessorContext<>(settings(), new TaskId(0, 0), folder.toFile());
        private final KeyValueStore<Bytes, byte[]> store;
        private final Calls calls;
        private final IdMemory memory;
        private long offset;

        Task(KeyValueBytesStoreSupplier stores, int ids) {
            context.setCurrentStreamTimeMs(NOW);
            context.setCurrentSystemTimeMs(NOW);
            store = Stores.keyValueStoreBuilder(stores, Serdes.Bytes(), Serdes.ByteArray())
                    .withLoggingDisabled()
                    .build();
            store.init(context.getStateStoreContext(), store);
            for (int i = 0; i < ids; i++) {
                store.put(Bytes.wrap(StoredId.toBytes(id(i))), new Seen(1, 0, 0, NOW, NOW, 0).bytes());
            }
            calls = new Calls(store);
            memory = new IdMemory(calls.store(), context, DAY);
        }

        /** Returns whether the id of a number is new. */
        boolean isNew(int number) {
            context.setRecordMetadata("payments", 0, offset++);
            return memory.see(id(number)).isEmpty();
        }

        @Override
        public void close() {
            memory.close();
            store.close();
        }
    }

    @Test
    void looksUpFewNewIdsInAStoreThatWasEmpty() {
        try (Task task = new Task(Stores.persistentKeyValueStore("ledger"), 0)) {
            for (int i = 0; i < 10_000; i++) {
                assertThat(task.isNew(i)).isTrue();
            }
            assertThat(task.calls.count("get")).isLessThan(500);
            for (int i = 0; i < 10_000; i++) {
                assertThat(task.isNew(i)).isFalse();
            }
        }
    }

    @Test
    @Tag("rule-15.8")
    void aRestoredStoreIsGoneThroughInPartsAndAnswersRightMeanwhile() {
        int next = 2 * A_PART + A_PART / 2;
        try (Task task = new Task(Stores.persistentKeyValueStore("ledger"), next)) {
            CapturedPunctuator pass = task.context.scheduledPunctuators().stream()
                    .filter(each -> each.getInterval().equals(FIRST_PASS))
                    .findAny()
                    .orElseThrow();
            for (double left : new double[] {0.6, 0.2, 0}) {
                assertThat(pass.cancelled()).isFalse();
                pass.getPunctuator().punctuate(NOW);
                for (int i = 0; i < next; i++) {
                    assertThat(task.isNew(i)).as("id %d", i).isFalse();
                }
                long before = task.calls.count("get");
                for (int end = next + 1_000; next < end; next++) {
                    assertThat(task.isNew(next)).as("id %d", next).isTrue();
                }
                assertThat(task.calls.count("get") - before)
                        .as("look-ups, when the pass has left %s", left)
                        .isBetween((long) (left * 900), (long) (left * 1_100) + 100);
            }
            assertThat(pass.cancelled()).isTrue();
        }
    }

    /** It has its ids in memory anyway. */
    @Test
    void aStoreInMemoryHasNoFilter() {
        try (Task task = new Task(Stores.inMemoryKeyValueStore("ledger"), 0)) {
            for (int i = 0; i < 1_000; i++) {
                assertThat(task.isNew(i)).isTrue();
            }

            assertThat(task.calls.count("get")).isGreaterThanOrEqualTo(1_000);
        }
    }

    @Test
    @Tag("rule-15.8")
    void refusesAStoreThatReturnsItsEntriesInAnotherOrder() {
        try (Task task = new Task(Stores.persistentKeyValueStore("ledger"), 2)) {
            task.calls.turnRanges();
            Punctuator pass = task.context.scheduledPunctuators().get(0).getPunctuator();

            assertThatThrownBy(() -> pass.punctuate(NOW))
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("ledger does not return its entries in the order");
        }
    }

    /** Otherwise records would be forwarded until the first pass comes to it, each time that a thread is replaced. */
    @ParameterizedTest
    @ValueSource(strings = {"order", "a key of 16 byte"})
    void refusesAStoreOfSomethingElseBeforeTheFirstRecord(String key) {
        MockProcessorContext<Void, Void> context =
                new MockProcessorContext<>(settings(), new TaskId(0, 0), folder.toFile());
        KeyValueStore<Bytes, byte[]> other = Stores.keyValueStoreBuilder(
                        Stores.inMemoryKeyValueStore("ledger"), Serdes.Bytes(), Serdes.ByteArray())
                .withLoggingDisabled()
                .build();
        other.init(context.getStateStoreContext(), other);
        other.put(Bytes.wrap(key.getBytes(UTF_8)), "of somebody".getBytes(UTF_8));

        assertThatThrownBy(() -> new IdMemory(other, context, DAY))
                .isInstanceOf(IdempotencyException.class)
                .hasMessageContainingAll("state store", "a name that no other store");
        other.close();
    }

    /** Otherwise each time that Kafka Streams begins a task again, one more pass would go on, with a filter of its own. */
    @Test
    void endsItsPassesWhenItIsClosed() {
        try (Task task = new Task(Stores.persistentKeyValueStore("ledger"), A_PART)) {
            task.memory.close();

            assertThat(task.context.scheduledPunctuators()).hasSize(2).allMatch(CapturedPunctuator::cancelled);
        }
    }
}
