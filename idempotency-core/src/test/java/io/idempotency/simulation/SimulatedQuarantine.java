package io.idempotency.simulation;

import io.idempotency.memory.MemoryQuarantine;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.QuarantineCount;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantineSummary;
import io.idempotency.store.QuarantinedMessage;
import java.util.List;
import java.util.Optional;

/** The quarantine of the processes. What it keeps is noted with the transaction, which may be committed later. */
record SimulatedQuarantine(Simulation simulation, MemoryQuarantine memory) implements QuarantineStore {

    @Override
    public void save(QuarantinedMessage message) {
        memory.save(message);
        simulation.store().transactions().running().kept.add(message);
    }

    @Override
    public Optional<QuarantineEntry> find(MessageId id) {
        return memory.find(id);
    }

    @Override
    public Optional<QuarantineEntry> take(MessageId id, long generation) {
        return memory.take(id, generation);
    }

    @Override
    public List<QuarantineSummary> list(QuarantineSelection selection, Optional<Delivery> after, int limit) {
        return memory.list(selection, after, limit);
    }

    @Override
    public QuarantineCount count(QuarantineSelection selection) {
        return memory.count(selection);
    }

    @Override
    public List<MessageId> list(String consumer, int limit) {
        return memory.list(consumer, limit);
    }

    @Override
    public boolean delete(MessageId id) {
        return memory.delete(id);
    }
}
