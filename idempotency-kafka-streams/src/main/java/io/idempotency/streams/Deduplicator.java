package io.idempotency.streams;

import io.idempotency.Duplicate;
import io.idempotency.streams.Gate.Verdict;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.streams.processor.api.ContextualFixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorSupplier;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.state.StoreBuilder;
import org.jspecify.annotations.Nullable;

/**
 * Forwards records with their keys. Not thread-safe.
 *
 * @param <R> the values that it forwards
 */
final class Deduplicator<K, V, R> extends ContextualFixedKeyProcessor<K, V, R> {

    private final Forwarding<V, R> forwarding;
    private @Nullable Gate<V> gate;

    private Deduplicator(Forwarding<V, R> forwarding) {
        this.forwarding = forwarding;
    }

    @Override
    public void init(FixedKeyProcessorContext<K, R> context) {
        super.init(context);
        gate = new Gate<>(forwarding.settings(), context);
    }

    @Override
    public void process(FixedKeyRecord<K, V> record) {
        Verdict verdict =
                Objects.requireNonNull(gate).decide(record.key(), record.value(), record.timestamp(), record.headers());
        boolean isMarked = forwarding.isOfCopies() && verdict.duplicate().isPresent();
        if (isMarked || !verdict.isDropped()) {
            context().forward(record.withValue(forwarding.result().of(record.value(), verdict.duplicate())));
        }
    }

    @Override
    public void close() {
        if (gate != null) {
            gate.close();
        }
    }

    /** What is forwarded as the value of a record. */
    interface Result<V, R> {

        @Nullable
        R of(@Nullable V value, Optional<Duplicate> duplicate);
    }

    /**
     * Makes a processor for each task.
     *
     * @param isOfCopies whether copies are forwarded, too
     */
    record Forwarding<V, R>(DeduplicationSettings<V> settings, boolean isOfCopies, Result<V, R> result) {

        <K> FixedKeyProcessorSupplier<K, V, R> supplier() {
            return new FixedKeyProcessorSupplier<>() {
                @Override
                public FixedKeyProcessor<K, V, R> get() {
                    return new Deduplicator<>(Forwarding.this);
                }

                @Override
                public Set<StoreBuilder<?>> stores() {
                    return settings.store();
                }
            };
        }
    }
}
