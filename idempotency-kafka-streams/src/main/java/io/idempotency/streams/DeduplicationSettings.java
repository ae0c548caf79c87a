package io.idempotency.streams;

import io.idempotency.kafka.MessageIds;
import io.idempotency.store.IdempotencyException;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.TimestampedBytesStore;

/** What a {@link Deduplication} was told. */
record DeduplicationSettings<V>(
        String name,
        MessageIds<? super V> ids,
        Duration retention,
        MissingId missingId,
        DeduplicationListener listener,
        Function<String, KeyValueBytesStoreSupplier> stores) {

    /**
     * The broker stamps the records of the changelog. With the timestamps of the application's records, it would refuse one that is far ahead, although the
     * input topic has it.
     */
    private static final Map<String, String> CHANGELOG =
            Map.of(TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG, "LogAppendTime");

    /**
     * Returns the store of the ids. Its writes are not cached: each id is written once.
     *
     * @throws IdempotencyException if it is of a kind that forgets ids, or whose entries look different when they are restored
     */
    Set<StoreBuilder<?>> store() {
        KeyValueBytesStoreSupplier supplier = stores.apply(name);
        KeyValueStore<Bytes, byte[]> example = supplier.get();
        if (example instanceof TimestampedBytesStore || supplier.metricsScope().contains("lru")) {
            throw new IdempotencyException(
                    "The deduplication " + name + " cannot be stored in a store of the kind "
                            + supplier.metricsScope()
                            + " with timestamps, or with a bound. Use Stores::persistentKeyValueStore or Stores::inMemoryKeyValueStore");
        }
        StoreBuilder<KeyValueStore<Bytes, byte[]>> store = Stores.keyValueStoreBuilder(
                example.persistent() ? BufferedStore.of(supplier) : supplier, Serdes.Bytes(), Serdes.ByteArray());
        return Set.of(store.withCachingDisabled().withLoggingEnabled(CHANGELOG));
    }
}
