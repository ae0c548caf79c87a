package io.idempotency.streams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.streams.Calls.Failing;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.api.MockProcessorContext;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class BufferedStoreTest {

    private static final int A_BATCH = 10_000;

    private final KeyValueStore<Bytes, byte[]> inner =
            Stores.inMemoryKeyValueStore("ids").get();
    private final Calls calls = new Calls(inner);
    private final BufferedStore store = new BufferedStore(calls.store());

    @BeforeEach
    void open() {
        store.init(new MockProcessorContext<>().getStateStoreContext(), store);
    }

    @Test
    @Tag("rule-15.9")
    void writesAllWithAFlush() {
        store.put(key(1), value(1));
        store.put(key(2), value(2));
        assertThat(inner.approximateNumEntries()).isZero();

        store.flush();

        assertThat(entries(inner)).containsOnlyKeys(key(1), key(2));
        assertThat(calls.names()).endsWith("putAll", "flush");
    }

    @Test
    void writesABatchInTheOrderOfItsKeys() {
        for (int i = A_BATCH; i >= 0; i--) {
            store.put(key(i), value(i));
        }

        assertThat(inner.approximateNumEntries()).isEqualTo(A_BATCH);
        assertThat(calls.names()).doesNotContain("put");
        assertThat(calls.lastBatch()).isSortedAccordingTo((one, other) -> one.key.compareTo(other.key));
    }

    @Test
    @Tag("rule-15.9")
    void aBatchThatFailsStaysAndIsWrittenLater() {
        store.put(key(1), value(1));
        calls.fail();
        assertThatThrownBy(store::flush).isInstanceOf(Failing.class);
        assertThat(store.get(key(1))).isEqualTo(value(1));

        calls.succeed();
        store.flush();

        assertThat(inner.get(key(1))).isEqualTo(value(1));
    }

    @Test
    void closesTheStoreAlsoWhenItsLastBatchFails() {
        store.put(key(1), value(1));
        calls.fail();

        assertThatThrownBy(store::close).isInstanceOf(Failing.class);

        assertThat(inner.isOpen()).isFalse();
    }

    /** Kafka Streams opens the same store again when it has taken back what was not committed. */
    @Test
    @Tag("rule-15.9")
    void whatItCouldNotWriteWhenItWasClosedIsGoneWhenItIsOpenedAgain() {
        store.put(key(1), value(1));
        calls.fail();
        assertThatThrownBy(store::close).isInstanceOf(Failing.class);

        calls.succeed();
        open();

        assertThat(store.get(key(1))).isNull();
        assertThat(entries(store)).isEmpty();
    }

    @Test
    void anEntryWhoseBatchFailsWasNotPut() {
        for (int i = 0; i < A_BATCH; i++) {
            store.put(key(i), value(i));
        }
        calls.fail();

        assertThatThrownBy(() -> store.put(key(-1), value(-1))).isInstanceOf(Failing.class);

        assertThat(store.get(key(-1))).isNull();
    }

    @Test
    void anEntryThatIsPutAsNullIsDeleted() {
        store.put(key(1), value(1));
        store.put(key(1), null);

        assertThat(store.get(key(1))).isNull();
    }

    /** Against a plain map: whoever reads sees what was written, in a batch or not. */
    @Test
    void isReadLikeAnyStore() {
        Random random = new Random(18);
        NavigableMap<Bytes, byte[]> model = new TreeMap<>();
        for (int step = 0; step < 50_000; step++) {
            Bytes key = key(random.nextInt(20_000));
            int kind = random.nextInt(1_000);
            if (kind < 900) {
                model.put(key, value(step));
                store.put(key, value(step));
            } else if (kind < 980) {
                assertThat(store.get(key)).isEqualTo(model.get(key));
            } else if (kind < 985) {
                assertThat(store.delete(key)).isEqualTo(model.remove(key));
            } else if (kind < 990) {
                assertThat(store.putIfAbsent(key, value(step))).isEqualTo(model.putIfAbsent(key, value(step)));
            } else if (kind < 992) {
                store.putAll(List.of(KeyValue.pair(key, value(step))));
                model.put(key, value(step));
            } else if (kind < 994) {
                assertThat(store.approximateNumEntries()).isEqualTo(model.size());
            } else if (kind == 999) {
                assertThat(entries(store).keySet()).isEqualTo(model.keySet());
                assertThat(keys(store.range(key, null)))
                        .isEqualTo(List.copyOf(model.tailMap(key).keySet()));
            }
        }
    }

    private static NavigableMap<Bytes, byte[]> entries(KeyValueStore<Bytes, byte[]> store) {
        NavigableMap<Bytes, byte[]> entries = new TreeMap<>();
        try (KeyValueIterator<Bytes, byte[]> all = store.all()) {
            all.forEachRemaining(each -> entries.put(each.key, each.value));
        }
        return entries;
    }

    private static List<Bytes> keys(KeyValueIterator<Bytes, byte[]> range) {
        List<Bytes> keys = new ArrayList<>();
        try (range) {
            range.forEachRemaining(each -> keys.add(each.key));
        }
        return keys;
    }

    private static Bytes key(int number) {
        return Bytes.wrap(value(number));
    }

    private static byte[] value(int number) {
        return ByteBuffer.allocate(Integer.BYTES).putInt(number).array();
    }
}
