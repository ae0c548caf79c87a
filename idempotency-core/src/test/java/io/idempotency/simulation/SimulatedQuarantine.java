package io.idempotency.simulation;

import io.idempotency.memory.MemoryQuarantine;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineCount;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantineSummary;
import io.idempotency.store.QuarantineTotal;
import io.idempotency.store.QuarantinedMessage;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;

/** The quarantine of the processes, behind the wire. What it keeps and deletes is noted with the transaction, which may be committed later. */
final class SimulatedQuarantine implements QuarantineStore {

    private final Simulation simulation;
    private final Wire wire;
    private final RowLocks locks;
    private final MemoryQuarantine memory;
    /** What was kept once, for a variant that does not look whether it still is. */
    private final Map<MessageId, QuarantineEntry> seen = new HashMap<>();

    SimulatedQuarantine(Simulation simulation, Wire wire, RowLocks locks, MemoryQuarantine memory) {
        this.simulation = simulation;
        this.wire = wire;
        this.locks = locks;
        this.memory = memory;
    }

    /** Returns the row of a kept message, which is another one than that of its id. */
    static MessageId entry(MessageId id) {
        return new MessageId("entry", id.value());
    }

    /** Returns the kept messages without asking over the wire. */
    List<MessageId> ids() {
        return memory.list(Simulation.CONSUMER, Integer.MAX_VALUE);
    }

    /** Returns the kept messages that failed themselves, without asking over the wire. */
    List<String> failed() {
        return memory.list(QuarantineSelection.of(Simulation.CONSUMER), Optional.empty(), Integer.MAX_VALUE).stream()
                .filter(summary -> !summary.isBehind())
                .map(summary -> summary.delivery().id().value())
                .toList();
    }

    /** Returns whether the message is kept, without asking over the wire. */
    boolean isKept(MessageId id) {
        return memory.find(id).isPresent();
    }

    @Override
    public SortedMap<String, QuarantineTotal> totals() {
        return memory.totals();
    }

    private RunningTransaction running() {
        return simulation.store().transactions().running();
    }

    @Override
    public void save(QuarantinedMessage message) {
        RunningTransaction running = running();
        locks.take(entry(message.delivery().id()), running);
        memory.save(message);
        running.kept.add(message);
        if (message.isBehind()) {
            simulation.visit(Branch.HELD_BEHIND);
        }
    }

    @Override
    public Optional<QuarantineEntry> find(MessageId id) {
        return wire.call("find entry " + id.value(), () -> {
            Optional<QuarantineEntry> found = memory.find(id);
            found.ifPresent(entry -> seen.put(id, entry));
            return found;
        });
    }

    @Override
    public Optional<QuarantineEntry> take(MessageId id, long generation) {
        wire.fault("take entry " + id.value());
        if (simulation.isBroken(Broken.ENTRY_NOT_TAKEN)) {
            return Optional.ofNullable(seen.get(id));
        }
        locks.take(entry(id), running());
        Optional<QuarantineEntry> kept = memory.find(id);
        boolean isAnyTaken = simulation.isBroken(Broken.GENERATION_IGNORED);
        Optional<QuarantineEntry> taken = memory.take(
                id, isAnyTaken ? kept.map(QuarantineEntry::generation).orElse(generation) : generation);
        if (taken.isEmpty()) {
            simulation.visit(kept.isEmpty() ? Branch.ENTRY_GONE : Branch.ENTRY_SAVED_ANEW);
        }
        return taken;
    }

    @Override
    public List<QuarantineSummary> list(QuarantineSelection selection, Optional<Delivery> after, int limit) {
        return wire.call("list entries", () -> memory.list(selection, after, limit));
    }

    @Override
    public QuarantineCount count(QuarantineSelection selection) {
        return wire.call("count entries", () -> memory.count(selection));
    }

    @Override
    public List<MessageId> list(String consumer, int limit) {
        return wire.call("list ids of entries", () -> memory.list(consumer, limit));
    }

    @Override
    public Set<Long> keyHashes(String consumer, String stream, int partition, int limit) {
        Set<Long> hashes = wire.call(
                "read the keys of " + stream + "-" + partition,
                () -> memory.keyHashes(consumer, stream, partition, limit));
        return simulation.isBroken(Broken.KEYS_NOT_READ) ? Set.of() : hashes;
    }

    @Override
    public Optional<Delivery> lastBefore(String consumer, Position position, long keyHash) {
        Optional<Delivery> last =
                wire.call("look before " + position, () -> memory.lastBefore(consumer, position, keyHash));
        boolean isReplay = simulation.process().isReplaying();
        if (isReplay && simulation.isBroken(Broken.REPLAYED_BEFORE_ITS_LEADER)) {
            return Optional.empty();
        }
        return simulation.isBroken(Broken.LEADER_CALLED_GONE_TOO_EARLY)
                ? last.filter(delivery -> locks.holder(entry(delivery.id())) == null)
                : last;
    }

    @Override
    public List<Follower> freeFollowers(String consumer, int limit) {
        List<Follower> free = wire.call("list free followers", () -> memory.freeFollowers(consumer, limit));
        if (!free.isEmpty()) {
            simulation.visit(Branch.FOLLOWER_FREED);
        }
        return simulation.isBroken(Broken.FOLLOWERS_NOT_FREED) ? List.of() : free;
    }

    @Override
    public boolean delete(MessageId id) {
        wire.fault("delete entry " + id.value());
        RunningTransaction running = running();
        locks.take(entry(id), running);
        running.deleted.add(id);
        return memory.delete(id);
    }
}
