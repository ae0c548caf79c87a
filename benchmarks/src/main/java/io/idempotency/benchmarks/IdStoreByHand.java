package io.idempotency.benchmarks;

import java.nio.charset.StandardCharsets;
import java.util.Set;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.processor.api.ContextualFixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorSupplier;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** Deduplication by hand: the ids as text, with the times of their records, and none is ever deleted. */
record IdStoreByHand(String name) implements FixedKeyProcessorSupplier<byte[], byte[], byte[]> {

    @Override
    public Set<StoreBuilder<?>> stores() {
        return Set.of(
                Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(name), Serdes.String(), Serdes.Long()));
    }

    @Override
    public FixedKeyProcessor<byte[], byte[], byte[]> get() {
        return new ContextualFixedKeyProcessor<>() {
            @Override
            public void process(FixedKeyRecord<byte[], byte[]> record) {
                KeyValueStore<String, Long> store = context().getStateStore(name);
                String id = new String(record.headers().lastHeader("message-id").value(), StandardCharsets.UTF_8);
                if (store.get(id) == null) {
                    store.put(id, record.timestamp());
                    context().forward(record);
                }
            }
        };
    }
}
