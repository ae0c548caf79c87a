package io.idempotency.streams;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.processor.api.ContextualFixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorSupplier;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;
import org.apache.kafka.streams.state.WindowStoreIterator;

/** Deduplication as people write it: ids in a windowed store by the time of their records, without positions. It loses and doubles; tests show where. */
final class Handwritten {

    private static final String STORE = "handwritten";

    private Handwritten() {}

    static FixedKeyProcessorSupplier<String, String, String> byStreamTime(Duration retention) {
        return new FixedKeyProcessorSupplier<>() {
            @Override
            public FixedKeyProcessor<String, String, String> get() {
                return new ByStreamTime(retention);
            }

            @Override
            public Set<StoreBuilder<?>> stores() {
                return Set.of(Stores.windowStoreBuilder(
                        Stores.persistentWindowStore(STORE, retention, retention, false),
                        Serdes.String(),
                        Serdes.Long()));
            }
        };
    }

    private static final class ByStreamTime extends ContextualFixedKeyProcessor<String, String, String> {

        private final Duration retention;

        private ByStreamTime(Duration retention) {
            this.retention = retention;
        }

        @Override
        public void init(FixedKeyProcessorContext<String, String> context) {
            super.init(context);
        }

        @Override
        public void process(FixedKeyRecord<String, String> record) {
            WindowStore<String, Long> store = context().getStateStore(STORE);
            String id = new String(record.headers().lastHeader("message-id").value(), StandardCharsets.UTF_8);
            Instant at = Instant.ofEpochMilli(record.timestamp());
            boolean isCopy;
            try (WindowStoreIterator<Long> found = store.fetch(id, at.minus(retention), at.plus(retention))) {
                isCopy = found.hasNext();
            }
            if (!isCopy) {
                store.put(id, record.timestamp(), record.timestamp());
                context().forward(record);
            }
        }
    }
}
