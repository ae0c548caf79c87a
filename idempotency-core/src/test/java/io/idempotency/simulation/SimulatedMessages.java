package io.idempotency.simulation;

import io.idempotency.memory.MemoryStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.MessageRange;
import io.idempotency.store.StoredMessage;
import io.idempotency.store.StoredMessages;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;

/** The verbs of operators on what the store remembers, behind the wire. They wait for whoever changes a message, and note what they did with their transaction. */
final class SimulatedMessages implements StoredMessages {

    private final Simulation simulation;
    private final Wire wire;
    private final RowLocks locks;
    private final MemoryStore memory;

    SimulatedMessages(Simulation simulation, Wire wire, RowLocks locks, MemoryStore memory) {
        this.simulation = simulation;
        this.wire = wire;
        this.locks = locks;
        this.memory = memory;
    }

    private RunningTransaction running() {
        return simulation.store().transactions().running();
    }

    @Override
    public Optional<StoredMessage> look(MessageId id) {
        return wire.call("look at " + id.value(), () -> memory.messages().look(id));
    }

    @Override
    public Retained retained(String consumer) {
        return memory.messages().retained(consumer);
    }

    @Override
    public SortedSet<String> consumers() {
        return memory.messages().consumers();
    }

    @Override
    public boolean drop(Delivery delivery) {
        wire.fault("drop " + delivery.id().value());
        locks.take(delivery.id(), running());
        boolean isDropped = memory.messages().drop(delivery);
        if (simulation.isBroken(Broken.DROPPED_NOT_REMEMBERED)) {
            boolean unused = memory.forget(delivery.id());
        }
        if (isDropped) {
            running().dropped.add(delivery);
        }
        return isDropped;
    }

    @Override
    public Batch forget(MessageRange range, String after, int limit) {
        wire.fault("forget a range");
        List<MessageId> settled = simulation.producer().ids().stream()
                .map(simulation::id)
                .filter(id -> memory.find(id).isPresent())
                .sorted()
                .toList();
        settled.forEach(id -> locks.take(id, running()));
        Batch batch = memory.messages().forget(range, after, limit);
        settled.stream().filter(id -> memory.find(id).isEmpty()).forEach(running().forgotten::add);
        return batch;
    }

    @Override
    public Batch count(MessageRange range, String after, int limit) {
        return wire.call("count a range", () -> memory.messages().count(range, after, limit));
    }
}
