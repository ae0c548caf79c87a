package io.idempotency.samples.streams;

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

/**
 * Deduplication as people write it: a store of ids, without their positions. Under {@code at_least_once} it loses a record whose id reached the changelog before
 * its output reached Kafka: the record comes again, and counts as its own copy.
 */
final class Handwritten implements FixedKeyProcessorSupplier<String, String, String> {

    private static final String STORE = "handwritten";

    @Override
    public Set<StoreBuilder<?>> stores() {
        return Set.of(
                Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(STORE), Serdes.String(), Serdes.Long()));
    }

    @Override
    public FixedKeyProcessor<String, String, String> get() {
        return new ContextualFixedKeyProcessor<>() {
            @Override
            public void process(FixedKeyRecord<String, String> record) {
                KeyValueStore<String, Long> store = context().getStateStore(STORE);
                String id = new String(record.headers().lastHeader("message-id").value(), StandardCharsets.UTF_8);
                if (store.putIfAbsent(id, record.timestamp()) == null) {
                    context().forward(record);
                }
            }
        };
    }
}
