package io.idempotency.streams;

import io.idempotency.kafka.MessageIds;
import java.time.Duration;
import java.util.Set;
import java.util.function.Function;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** What a {@link Deduplication} was told. */
record DeduplicationSettings<V>(
        String name,
        MessageIds<? super V> ids,
        Duration retention,
        MissingId missingId,
        DeduplicationListener listener,
        Function<String, KeyValueBytesStoreSupplier> stores) {

    /** Returns the store of the ids. Its writes are not cached: each id is written once. */
    Set<StoreBuilder<?>> store() {
        StoreBuilder<KeyValueStore<Bytes, byte[]>> store =
                Stores.keyValueStoreBuilder(stores.apply(name), Serdes.Bytes(), Serdes.ByteArray());
        return Set.of(store.withCachingDisabled());
    }
}
