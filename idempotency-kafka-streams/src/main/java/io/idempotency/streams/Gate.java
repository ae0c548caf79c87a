package io.idempotency.streams;

import io.idempotency.Duplicate;
import io.idempotency.store.MessageId;
import io.idempotency.store.StoredId;
import java.util.Optional;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.streams.processor.api.ProcessingContext;
import org.jspecify.annotations.Nullable;

/** Decides about the records of one task. Not thread-safe. */
final class Gate<V> {

    private final RecordReader<V> reader;
    private final IdMemory memory;
    private final boolean isDroppedWithoutId;

    Gate(DeduplicationSettings<V> settings, ProcessingContext context) {
        this.reader = new RecordReader<>(settings, context);
        this.memory = new IdMemory(context.getStateStore(settings.name()), context, settings.retention());
        this.isDroppedWithoutId = settings.missingId() == MissingId.DROP;
    }

    /** Decides about a record, and reports it if it is a copy. */
    Verdict decide(@Nullable Object key, @Nullable V value, long timestamp, Headers headers) {
        Optional<MessageId> id = reader.id(key, value, timestamp, headers);
        if (id.isEmpty()) {
            return new Verdict(isDroppedWithoutId, Optional.empty());
        }
        Optional<Duplicate> duplicate = memory.see(StoredId.of(id.get().value()));
        duplicate.ifPresent(copy -> reader.report(id.get(), copy));
        return new Verdict(duplicate.isPresent(), duplicate);
    }

    /** Gives the memory back that it takes beside the store. */
    void close() {
        memory.close();
    }

    /**
     * What becomes of a record.
     *
     * @param isDropped whether the record is dropped, unless copies are marked
     * @param duplicate how it arose, if it is a copy
     */
    record Verdict(boolean isDropped, Optional<Duplicate> duplicate) {}
}
