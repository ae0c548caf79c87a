package io.idempotency.simulation;

import io.idempotency.memory.MemoryReplays;
import io.idempotency.replay.Replay;
import io.idempotency.replay.ReplayPlan;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.replay.ReplayResult;
import io.idempotency.replay.ReplayStore;
import io.idempotency.store.MessageId;
import io.idempotency.store.QuarantineFailure;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/** The replays of the processes, behind the wire. Rows are locked in the order of the store: a request waits for the entries that it takes. */
final class SimulatedReplayStore implements ReplayStore {

    private final Simulation simulation;
    private final Wire wire;
    private final RowLocks locks;
    private final MemoryReplays memory;

    SimulatedReplayStore(Simulation simulation, Wire wire, RowLocks locks, MemoryReplays memory) {
        this.simulation = simulation;
        this.wire = wire;
        this.locks = locks;
        this.memory = memory;
    }

    private static MessageId row(String replay) {
        return new MessageId("replay", replay);
    }

    /** Returns a replay without asking over the wire. */
    Optional<Replay> committed(String id) {
        return memory.find(id);
    }

    /** Returns all replays without asking over the wire. */
    List<Replay> all() {
        return memory.list(Simulation.CONSUMER, Integer.MAX_VALUE);
    }

    @Override
    public ReplayPlan plan(ReplayRequest request) {
        return wire.call("plan", () -> memory.plan(request));
    }

    @Override
    public Replay request(ReplayRequest request) {
        return wire.call("request " + request.id(), () -> {
            Set<MessageId> rows = new HashSet<>();
            simulation.store().quarantine().ids().forEach(id -> rows.add(SimulatedQuarantine.entry(id)));
            rows.add(row(request.id()));
            locks.awaitAll(rows);
            return memory.request(request);
        });
    }

    @Override
    public Optional<Replay> find(String id) {
        return wire.call("find replay " + id, () -> memory.find(id));
    }

    @Override
    public List<Replay> list(String consumer, int limit) {
        return wire.call("list replays", () -> memory.list(consumer, limit));
    }

    @Override
    public boolean pause(String id) {
        return change("pause", id, () -> memory.pause(id));
    }

    @Override
    public boolean resume(String id) {
        return change("resume", id, () -> memory.resume(id));
    }

    @Override
    public boolean stop(String id, String why) {
        return change("stop", id, () -> memory.stop(id, why));
    }

    private boolean change(String verb, String id, Supplier<Boolean> change) {
        return wire.call(verb + " replay " + id, () -> {
            locks.awaitAll(Set.of(row(id)));
            return change.get();
        });
    }

    @Override
    public List<Replay> running(String consumer) {
        return wire.call("running replays", () -> memory.running(consumer));
    }

    @Override
    public List<Partition> partitions(String id) {
        return wire.call("partitions of replay " + id, () -> memory.partitions(id));
    }

    @Override
    public boolean takeTurn(String consumer, Partition partition, String node, Duration length) {
        return wire.call("take the turn at " + partition, () -> memory.takeTurn(consumer, partition, node, length));
    }

    @Override
    public void endTurn(String consumer, Partition partition, String node) {
        wire.fault("end the turn at " + partition);
        memory.endTurn(consumer, partition, node);
    }

    @Override
    public List<Item> next(String id, Partition partition, int limit) {
        return wire.call("next of replay " + id, () -> memory.next(id, partition, limit));
    }

    @Override
    public void count(String id, ReplayResult result, Optional<QuarantineFailure> failure) {
        wire.fault("count " + result + " of replay " + id);
        RunningTransaction running = simulation.store().transactions().running();
        locks.take(row(id), running);
        memory.count(id, result, failure);
        running.counted.add(new RunningTransaction.Counted(id, result, failure));
    }

    @Override
    public boolean endIfDone(String id) {
        return change("end", id, () -> memory.endIfDone(id));
    }
}
