package io.idempotency.streams;

import io.idempotency.store.MessageId;
import io.idempotency.store.StoredId;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.ProcessorSupplier;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.StoreBuilder;
import org.jspecify.annotations.Nullable;

/**
 * Sends all records of one id to one partition of a topic in between, drops copies behind it, and gives records their keys again.
 *
 * @param keys the serde of the record keys, which travel in a header
 * @param values the serde of the values
 * @param partitions those of the topic in between; empty: as many as the input has
 */
record Rekeying<K, V>(DeduplicationSettings<V> settings, Serde<K> keys, Serde<V> values, OptionalInt partitions) {

    /** Holds the key of a record in the topic in between. */
    static final String KEY = "idempotency-key";

    /** Ids have 16 bytes, so the two never meet. */
    private static final int PLACE_BYTES = Integer.BYTES + Long.BYTES;

    KStream<K, V> of(KStream<K, V> stream) {
        ProcessorSupplier<K, V, byte[], V> byId = ById::new;
        ProcessorSupplier<byte[], V, K, V> deduplicator = new ProcessorSupplier<>() {
            @Override
            public Processor<byte[], V, K, V> get() {
                return new ByKey();
            }

            @Override
            public Set<StoreBuilder<?>> stores() {
                return settings.store();
            }
        };
        Repartitioned<byte[], V> between = Repartitioned.<byte[], V>as(settings.name())
                .withKeySerde(Serdes.ByteArray())
                .withValueSerde(values);
        return stream.process(byId)
                .repartition(partitions.isPresent() ? between.withNumberOfPartitions(partitions.getAsInt()) : between)
                .process(deduplicator);
    }

    private static String topic(ProcessorContext<?, ?> context, String name) {
        return context.applicationId() + "-" + name + "-repartition";
    }

    /** Makes the id the key; of a record without an id that is to be forwarded, its place. */
    private final class ById extends ContextualProcessor<K, V, byte[], V> {

        private @Nullable RecordReader<V> reader;

        @Override
        public void init(ProcessorContext<byte[], V> context) {
            super.init(context);
            reader = new RecordReader<>(settings, context);
        }

        @Override
        public void process(Record<K, V> record) {
            Optional<MessageId> id = Objects.requireNonNull(reader)
                    .id(record.key(), record.value(), record.timestamp(), record.headers());
            if (id.isEmpty() && settings.missingId() == MissingId.DROP) {
                return;
            }
            Headers headers = new RecordHeaders(record.headers());
            headers.remove(KEY);
            byte[] key = keys.serializer().serialize(topic(context(), settings.name()), headers, record.key());
            byte[] newKey =
                    id.map(each -> StoredId.toBytes(StoredId.of(each.value()))).orElseGet(this::place);
            context().forward(record.withKey(newKey).withHeaders(headers.add(KEY, key)));
        }

        /** Returns where the record was. Records without keys would not pass. */
        private byte[] place() {
            ByteBuffer place = ByteBuffer.allocate(PLACE_BYTES);
            context()
                    .recordMetadata()
                    .ifPresent(at -> place.putInt(at.partition()).putLong(at.offset()));
            return place.array();
        }
    }

    /** Drops copies, and gives the others their keys again. */
    private final class ByKey extends ContextualProcessor<byte[], V, K, V> {

        private @Nullable Gate<V> gate;

        @Override
        public void init(ProcessorContext<K, V> context) {
            super.init(context);
            gate = new Gate<>(settings, context);
        }

        @Override
        public void process(Record<byte[], V> record) {
            Headers headers = new RecordHeaders(record.headers());
            Header kept = headers.lastHeader(KEY);
            headers.remove(KEY);
            K key = keys.deserializer().deserialize(topic(context(), settings.name()), headers, kept.value());
            if (record.key().length == PLACE_BYTES
                    || !Objects.requireNonNull(gate)
                            .decide(key, record.value(), record.timestamp(), headers)
                            .isDropped()) {
                context().forward(record.withKey(key).withHeaders(headers));
            }
        }

        @Override
        public void close() {
            if (gate != null) {
                gate.close();
            }
        }
    }
}
