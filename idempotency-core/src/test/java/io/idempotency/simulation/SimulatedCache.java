package io.idempotency.simulation;

import io.idempotency.DuplicateCache;
import io.idempotency.store.MessageId;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** Remembers duplicates in the memory of one process. */
final class SimulatedCache implements DuplicateCache {

    private final Simulation simulation;
    private final Map<MessageId, Known> known = new HashMap<>();

    SimulatedCache(Simulation simulation) {
        this.simulation = simulation;
    }

    @Override
    public Optional<Known> find(MessageId id) {
        if (simulation.process().transaction != null) {
            throw simulation.baton().violated("the cache is asked for " + id.value() + " within a transaction");
        }
        Known found = known.get(id);
        if (found != null) {
            simulation.visit(Branch.DUPLICATE_BY_CACHE);
        }
        return Optional.ofNullable(found);
    }

    boolean knows(MessageId id) {
        return known.containsKey(id);
    }

    @Override
    public void remember(MessageId id, Known seen) {
        known.put(id, seen);
    }

    @Override
    public void forget(MessageId id) {
        known.remove(id);
    }

    @Override
    public void clear() {
        known.clear();
    }
}
