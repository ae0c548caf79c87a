package io.idempotency;

import io.idempotency.memory.MemoryQuarantine;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineCount;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantineSummary;
import io.idempotency.store.QuarantinedMessage;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Counts the questions about keys. If it is blind, it sees no earlier message, like a snapshot that is too old. */
final class KeyQueries implements QuarantineStore {

    private final MemoryQuarantine quarantine;
    int reads;
    int verifications;
    boolean isBlind;

    KeyQueries(MemoryQuarantine quarantine) {
        this.quarantine = quarantine;
    }

    @Override
    public Set<Long> keyHashes(String consumer, String stream, int partition, int limit) {
        reads++;
        return quarantine.keyHashes(consumer, stream, partition, limit);
    }

    @Override
    public Optional<Delivery> lastBefore(String consumer, Position position, long keyHash) {
        verifications++;
        return isBlind ? Optional.empty() : quarantine.lastBefore(consumer, position, keyHash);
    }

    @Override
    public void save(QuarantinedMessage message) {
        quarantine.save(message);
    }

    @Override
    public Optional<QuarantineEntry> find(MessageId id) {
        return quarantine.find(id);
    }

    @Override
    public List<MessageId> list(String consumer, int limit) {
        return quarantine.list(consumer, limit);
    }

    @Override
    public Optional<QuarantineEntry> take(MessageId id, long generation) {
        return quarantine.take(id, generation);
    }

    @Override
    public List<QuarantineSummary> list(QuarantineSelection selection, Optional<Delivery> after, int limit) {
        return quarantine.list(selection, after, limit);
    }

    @Override
    public QuarantineCount count(QuarantineSelection selection) {
        return quarantine.count(selection);
    }

    @Override
    public boolean delete(MessageId id) {
        return quarantine.delete(id);
    }
}
