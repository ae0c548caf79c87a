package io.idempotency.simulation;

import io.idempotency.DuplicateCache;
import io.idempotency.memory.MemoryStore;
import io.idempotency.store.AuditStore;
import io.idempotency.store.Claim;
import io.idempotency.store.ClaimLostException;
import io.idempotency.store.Delivery;
import io.idempotency.store.LeaseStore;
import io.idempotency.store.MessageId;
import io.idempotency.store.Processed;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The database of the processes: the memory store, behind a {@link Wire} that breaks. Its waits are the simulation's, so that they take no real time and
 * others run meanwhile; whoever would wait in the memory store waits for {@link RowLocks} first.
 */
final class SimulatedStore implements LeaseStore {

    private final Simulation simulation;
    private final Wire wire;
    private final RowLocks locks;
    private final MemoryStore memory;
    private final SimulatedQuarantine quarantine;
    private final SimulatedReplayStore replays;
    private final SimulatedMessages messages;
    private final AuditStore audit;
    private final SimulatedTransactions transactions;
    private final SimulatedLeases leases;

    SimulatedStore(Simulation simulation) {
        this.simulation = simulation;
        this.wire = new Wire(simulation);
        this.locks = new RowLocks(simulation);
        this.memory = MemoryStore.builder()
                .clock(wire::now)
                .claimTimeout(Duration.ZERO)
                .build();
        Memory all = Memory.of(memory);
        this.quarantine = new SimulatedQuarantine(simulation, wire, locks, all.quarantine());
        this.replays = new SimulatedReplayStore(simulation, wire, locks, all.replays());
        this.transactions = new SimulatedTransactions(simulation, wire, locks, all);
        this.messages = new SimulatedMessages(simulation, wire, locks, memory);
        this.audit = all.audit();
        this.leases = new SimulatedLeases(simulation, wire, locks, memory);
    }

    SimulatedQuarantine quarantine() {
        return quarantine;
    }

    SimulatedReplayStore replays() {
        return replays;
    }

    AuditStore audit() {
        return audit;
    }

    @Override
    public SimulatedMessages messages() {
        return messages;
    }

    /** Returns what is committed of a message, without asking over the wire. */
    Optional<Processed> committed(MessageId id) {
        return memory.find(id);
    }

    @Override
    public Instant now() {
        return wire.now();
    }

    /** Writes an effect in the running transaction. */
    void effect(Delivery delivery) {
        transactions.running().effects.add(delivery);
    }

    /** Locks a row of the application's own, in whatever order handlers come to it. */
    void touch(int row) {
        locks.take(new MessageId("rows", "row" + row), transactions.running());
    }

    @Override
    public SimulatedTransactions transactions() {
        return transactions;
    }

    @Override
    public List<Claim> claim(List<Delivery> deliveries) {
        RunningTransaction running = transactions.running();
        wire.fault("claim " + named(deliveries));
        Map<Delivery, Claim> answered = new HashMap<>();
        if (simulation.isBroken(Broken.UNCOMMITTED_CLAIM_CALLED_DUPLICATE)) {
            for (Delivery delivery : deliveries) {
                RunningTransaction holder = locks.holder(delivery.id());
                if (holder != null && holder != running) {
                    answered.put(delivery, Claim.duplicate(delivery, Optional.empty()));
                }
            }
        }
        Set<MessageId> own = ids(unanswered(deliveries, answered));
        lockAll(own, running);
        for (Delivery delivery : unanswered(deliveries, answered)) {
            transactions.early().inTheWay(delivery.id(), running).ifPresent(until -> {
                simulation.visit(Branch.EARLY_CLAIM_IN_THE_WAY);
                answered.put(delivery, Claim.inProgress(delivery, 1, until));
            });
        }
        List<Delivery> asked = unanswered(deliveries, answered);
        memory.claim(asked).forEach(claim -> answered.put(claim.delivery(), claim));
        grant(asked, answered, running);
        own.stream()
                .filter(id -> !running.granted.containsKey(id) && !running.forgotten.contains(id))
                .forEach(id -> locks.release(id, running));
        simulation.process().claims(deliveries.size());
        List<Claim> claims = new ArrayList<>();
        for (Delivery delivery : deliveries) {
            Claim claim = answered.get(delivery);
            if (claim != null) {
                claims.add(
                        claim.status() == Claim.Status.QUARANTINED
                                        && simulation.isBroken(Broken.QUARANTINED_CALLED_DUPLICATE)
                                ? Claim.duplicate(delivery, claim.processed())
                                : claim);
            }
        }
        simulation.history().claimed(claims);
        return claims;
    }

    private static List<Delivery> unanswered(List<Delivery> deliveries, Map<Delivery, Claim> answered) {
        return deliveries.stream()
                .filter(delivery -> !answered.containsKey(delivery))
                .toList();
    }

    /** Locks what is not settled. While it waits for one row, a purge may forget another. */
    private void lockAll(Set<MessageId> ids, RunningTransaction own) {
        while (!ids.stream().allMatch(id -> isLocked(id, own))) {
            for (MessageId id : ids.stream().sorted().toList()) {
                locks.await(id, own);
                if (memory.find(id).isEmpty()) {
                    locks.take(id, own);
                }
            }
        }
    }

    private boolean isLocked(MessageId id, RunningTransaction own) {
        RunningTransaction holder = locks.holder(id);
        return holder == own || (holder == null && memory.find(id).isPresent());
    }

    private void grant(List<Delivery> asked, Map<Delivery, Claim> answered, RunningTransaction running) {
        DuplicateCache cache = simulation.process().cache;
        for (Delivery delivery : asked) {
            Claim claim = answered.get(delivery);
            if (claim != null && claim.isGranted()) {
                running.granted.put(delivery.id(), delivery);
                if (cache != null && simulation.isBroken(Broken.CACHE_MARKED_BEFORE_COMMIT)) {
                    cache.remember(delivery.id(), new DuplicateCache.Known(delivery.position(), Duration.ZERO));
                }
            }
        }
    }

    @Override
    public void quarantine(Claim claim) {
        MessageId id = claim.delivery().id();
        wire.fault("quarantine " + id.value());
        RunningTransaction running = transactions.running();
        locks.take(id, running);
        try {
            memory.quarantine(claim);
        } catch (ClaimLostException e) {
            simulation.visit(Branch.LOST_AT_QUARANTINE);
            simulation.history().notQuarantined(claim);
            throw e;
        }
        running.quarantined.add(claim);
    }

    @Override
    public void expire(List<Claim> claims) {
        memory.expire(claims);
    }

    @Override
    public void unquarantine(Delivery delivery) {
        wire.fault("unquarantine " + delivery.id().value());
        RunningTransaction running = transactions.running();
        locks.take(delivery.id(), running);
        if (simulation.isBroken(Broken.PROCESSED_UNQUARANTINED)
                && memory.find(delivery.id()).isPresent()) {
            memory.quarantine(Claim.granted(delivery));
        }
        memory.unquarantine(delivery);
        running.freed.add(delivery);
    }

    @Override
    public Optional<Processed> find(MessageId id) {
        return wire.call("find " + id.value(), () -> memory.find(id));
    }

    /** Forgets in the transaction that is active, or at once. */
    @Override
    public boolean forget(MessageId id) {
        if (transactions.isActive()) {
            wire.fault("forget " + id.value());
            RunningTransaction running = transactions.running();
            locks.take(id, running);
            boolean wasKnown = memory.forget(id);
            running.forgotten.add(id);
            running.granted.remove(id);
            return wasKnown;
        }
        return wire.call("forget " + id.value(), () -> {
            locks.awaitAll(Set.of(id));
            boolean wasEarly = transactions.early().forget(id);
            boolean wasKnown = memory.forget(id) || wasEarly;
            if (wasKnown) {
                simulation.visit(Branch.FORGOTTEN);
                simulation.history().forgets(id);
            }
            return wasKnown;
        });
    }

    /** Takes a committed claim back, as no store does. */
    void takeBack(MessageId id) {
        memory.forget(id);
    }

    @Override
    public int purge(Duration olderThan, int limit) {
        return wire.call("purge", () -> {
            Instant horizon = now().minus(olderThan);
            Map<MessageId, Instant> known = simulation.history().known();
            // What is still under way would find its rows gone, which the locks of a database keep from happening.
            int purged = transactions.late().isEmpty()
                    ? memory.purge(simulation.isBroken(Broken.PURGED_TOO_EARLY) ? Duration.ZERO : olderThan, limit)
                    : 0;
            if (purged > 0) {
                simulation.history().purged(known, horizon);
            }
            return purged;
        });
    }

    @Override
    public List<Claim> lease(List<Delivery> deliveries, Duration length) {
        return leases.lease(deliveries, length);
    }

    @Override
    public List<Claim> renew(List<Claim> leased, Duration length) {
        return leases.renew(leased, length);
    }

    @Override
    public void complete(List<Claim> leased) {
        leases.complete(leased);
    }

    @Override
    public void release(List<Claim> leased) {
        leases.release(leased);
    }

    static Set<MessageId> ids(Collection<Delivery> deliveries) {
        return deliveries.stream().map(Delivery::id).collect(Collectors.toCollection(HashSet::new));
    }

    static String named(List<Delivery> deliveries) {
        return deliveries.stream()
                .map(delivery ->
                        delivery.id().value() + "@" + delivery.position().partition() + "-"
                                + delivery.position().offset())
                .toList()
                .toString();
    }
}
