package io.idempotency.simulation;

import io.idempotency.ConsistencyLevel;
import io.idempotency.DuplicateCache;
import io.idempotency.memory.MemoryQuarantine;
import io.idempotency.memory.MemoryStore;
import io.idempotency.store.Claim;
import io.idempotency.store.ClaimLostException;
import io.idempotency.store.Delivery;
import io.idempotency.store.LeaseStore;
import io.idempotency.store.MessageId;
import io.idempotency.store.Processed;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.Transactions;
import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The database of the processes: the memory store, behind a wire that breaks. Its waits are the simulation's, so that they take no real time and others run
 * meanwhile; whoever would wait in the memory store waits here first.
 */
final class SimulatedStore implements LeaseStore {

    static final long CLAIM_TIMEOUT_NANOS = 5_000_000_000L;
    private static final long MOST_LINGERING_NANOS = 8_000_000_000L;

    private final Simulation simulation;
    private final MemoryStore memory;
    private final MemoryQuarantine quarantine;
    private final Ending ending = new Ending();
    private final Map<MessageId, Running> locks = new HashMap<>();
    private long skewNanos;

    /** A running transaction. */
    static final class Running {
        final Set<MessageId> granted = new HashSet<>();
        final Set<MessageId> quarantined = new HashSet<>();
        final List<MessageId> effects = new ArrayList<>();
        private final List<Runnable> afterCommit = new ArrayList<>();
        private @Nullable MessageId waitsFor;
        private @Nullable RuntimeException hidden;
        private boolean isUnknown;
        private boolean isTakenForDone;
        private boolean isSilentlyUndone;
    }

    SimulatedStore(Simulation simulation) {
        this.simulation = simulation;
        this.memory = MemoryStore.builder()
                .clock(this::now)
                .claimTimeout(Duration.ZERO)
                .build();
        this.quarantine = new MemoryQuarantine(memory);
    }

    QuarantineStore quarantine() {
        return quarantine;
    }

    /** Returns what is committed of a message, without asking over the wire. */
    Optional<Processed> committed(MessageId id) {
        return memory.find(id);
    }

    Instant now() {
        return Instant.ofEpochSecond(1_000_000, simulation.nanos()).plusNanos(skewNanos);
    }

    /** Writes an effect in the running transaction. */
    void effect(MessageId id) {
        running().effects.add(id);
    }

    /** Locks a row of the application's own, in whatever order handlers come to it. */
    void touch(int row) {
        lock(new MessageId("rows", "row" + row), running());
    }

    private Running running() {
        Running running = simulation.process().transaction;
        if (running == null) {
            throw new IllegalStateException("No transaction is active");
        }
        return running;
    }

    @Override
    public Transactions transactions() {
        return ending;
    }

    /** Runs transactions, and lets their commits go wrong. */
    private final class Ending implements Transactions {

        @Override
        public boolean isActive() {
            return simulation.process().transaction != null;
        }

        @Override
        public void afterCommit(Runnable action) {
            running().afterCommit.add(action);
        }

        @Override
        public boolean isTransient(Throwable failure) {
            return memory.transactions().isTransient(failure);
        }

        @Override
        public void inTransaction(Runnable work) {
            fault("begin");
            Member process = simulation.process();
            Running running = new Running();
            process.transaction = running;
            try {
                memory.transactions().inTransaction(() -> run(running, work));
            } catch (TransientStoreException e) {
                if (running.isSilentlyUndone) {
                    return;
                }
                if (!running.isTakenForDone) {
                    throw e;
                }
            } finally {
                process.transaction = null;
                locks.values().removeIf(holder -> holder == running);
            }
            if (running.hidden != null) {
                throw running.hidden;
            }
            if (running.isUnknown) {
                simulation.visit(Branch.COMMIT_UNKNOWN_DONE);
                throw new TransientStoreException("Nobody knows whether this was committed");
            }
            simulation.point("committed");
            running.afterCommit.forEach(Runnable::run);
        }
    }

    private void run(Running running, Runnable work) {
        try {
            work.run();
            commit(running);
        } catch (Died died) {
            simulation.visit(Branch.DIED_IN_TRANSACTION);
            long lingering = simulation.choices().below(4) * (MOST_LINGERING_NANOS / 4);
            if (lingering > 0) {
                simulation.visit(Branch.LOCKS_OUTLIVED_PROCESS);
                simulation.baton().sleep(lingering);
            }
            throw died;
        } catch (RuntimeException e) {
            if (simulation.isBroken(Broken.CLAIM_COMMITTED_BEFORE_EFFECT)
                    && !running.isTakenForDone
                    && !running.isSilentlyUndone) {
                running.hidden = e;
                return;
            }
            throw e;
        }
    }

    private void commit(Running running) {
        simulation.point("commit");
        if (simulation.happens(Fault.COMMIT_FAILS)) {
            simulation.visit(Branch.COMMIT_REFUSED);
            simulation.note("the commit is refused");
            throw new TransientStoreException("The commit was refused");
        }
        if (simulation.happens(Fault.COMMIT_SILENTLY_UNDONE)) {
            simulation.visit(Branch.COMMIT_SILENTLY_UNDONE);
            simulation.note("is rolled back without a word");
            running.isSilentlyUndone = true;
            // Only a handler can have set it to: that is a failure of its own.
            running.granted.forEach(simulation.history()::failed);
            throw new TransientStoreException("Set to roll back");
        }
        if (simulation.happens(Fault.COMMIT_UNKNOWN)) {
            boolean isDone = simulation.choices().below(2) == 1;
            simulation.note("the answer of the commit is lost; done: " + isDone);
            if (!isDone) {
                simulation.visit(Branch.COMMIT_UNKNOWN_UNDONE);
                running.isTakenForDone = simulation.isBroken(Broken.UNKNOWN_COMMIT_TAKEN_FOR_DONE);
                throw new TransientStoreException("Nobody knows whether this was committed");
            }
            running.isUnknown = true;
            simulation.history().excuse(running.granted);
        }
        simulation.history().commits(running);
        if (simulation.level() == ConsistencyLevel.AT_MOST_ONCE && !running.isUnknown) {
            simulation.process().inHand.addAll(running.granted);
        }
    }

    private void maySurprise(String what) {
        if (simulation.happens(Fault.CLOCK_JUMPS)) {
            simulation.visit(Branch.CLOCK_JUMPED);
            skewNanos += Simulation.LEASE.toNanos() * (2 - simulation.choices().below(4));
            simulation.note("the clock of the database is " + skewNanos / 1_000_000 + " ms ahead");
        }
        if (simulation.happens(Fault.STORE_REFUSES)) {
            simulation.visit(Branch.STORE_REFUSED);
            simulation.note("is refused: " + what);
            throw new IllegalStateException("The store refuses: " + what);
        }
    }

    /** A call over the wire that may fail before it does anything. */
    private void fault(String what) {
        simulation.point(what);
        maySurprise(what);
        if (simulation.happens(Fault.STORE_FAILS)) {
            simulation.note("fails: " + what);
            throw new TransientStoreException("The store failed: " + what);
        }
    }

    /** A call over the wire that may fail before or after it was done. */
    private <T> T call(String what, Supplier<T> work) {
        simulation.point(what);
        maySurprise(what);
        boolean fails = simulation.happens(Fault.STORE_FAILS);
        boolean isDone = !fails || simulation.choices().below(2) == 1;
        if (fails) {
            simulation.note("fails: " + what + "; done: " + isDone);
        }
        T result = isDone ? work.get() : null;
        if (fails || result == null) {
            throw new TransientStoreException("The store failed: " + what);
        }
        return result;
    }

    private void lock(MessageId id, Running own) {
        await(id, own);
        if (memory.find(id).isEmpty()) {
            locks.put(id, own);
        }
    }

    private void await(MessageId id, Running own) {
        for (Running holder = locks.get(id); holder != null && holder != own; holder = locks.get(id)) {
            simulation.visit(Branch.CLAIM_WAITED);
            if (isAwaitedBy(holder, own)) {
                simulation.visit(Branch.DEADLOCK);
                simulation.note("deadlock at " + id);
                throw new TransientStoreException("Deadlock at " + id);
            }
            own.waitsFor = id;
            boolean isFree = simulation.baton().waitFor(CLAIM_TIMEOUT_NANOS, () -> !locks.containsKey(id));
            own.waitsFor = null;
            if (!isFree) {
                simulation.visit(Branch.CLAIM_TIMED_OUT);
                throw new TransientStoreException("Waited too long for " + id);
            }
        }
    }

    private boolean isAwaitedBy(Running holder, Running own) {
        Running each = holder;
        while (each != null && each.waitsFor != null) {
            each = locks.get(each.waitsFor);
            if (each == own) {
                return true;
            }
        }
        return false;
    }

    @Override
    public List<Claim> claim(List<Delivery> deliveries) {
        Running running = running();
        fault("claim " + named(deliveries));
        List<Delivery> asked = new ArrayList<>(deliveries);
        Map<Delivery, Claim> answered = new HashMap<>();
        if (simulation.isBroken(Broken.UNCOMMITTED_CLAIM_CALLED_DUPLICATE)) {
            for (Delivery delivery : deliveries) {
                Running holder = locks.get(delivery.id());
                if (holder != null && holder != running) {
                    answered.put(delivery, Claim.duplicate(delivery, Optional.empty()));
                    asked.remove(delivery);
                }
            }
        }
        Set<MessageId> own = asked.stream().map(Delivery::id).collect(Collectors.toSet());
        own.stream().sorted().forEach(id -> lock(id, running));
        Set<MessageId> granted = new HashSet<>();
        for (Claim claim : memory.claim(asked)) {
            answered.put(claim.delivery(), claim);
            if (claim.isGranted()) {
                granted.add(claim.delivery().id());
            }
        }
        locks.entrySet()
                .removeIf(lock -> lock.getValue() == running
                        && own.contains(lock.getKey())
                        && !granted.contains(lock.getKey())
                        && !running.granted.contains(lock.getKey()));
        running.granted.addAll(granted);
        Member.Cache cache = simulation.process().cache;
        if (cache != null && simulation.isBroken(Broken.CACHE_MARKED_BEFORE_COMMIT)) {
            granted.forEach(id -> cache.remember(
                    id, new DuplicateCache.Known(deliveries.get(0).position(), Duration.ZERO)));
        }
        simulation.process().claims(deliveries.size());
        List<Claim> claims = new ArrayList<>();
        for (Delivery delivery : deliveries) {
            Claim claim = answered.get(delivery);
            if (claim != null) {
                claims.add(claim);
            }
        }
        simulation.history().claimed(claims);
        return claims;
    }

    @Override
    public void quarantine(Claim claim) {
        MessageId id = claim.delivery().id();
        fault("quarantine " + id.value());
        Running running = running();
        await(id, running);
        locks.put(id, running);
        try {
            memory.quarantine(claim);
        } catch (ClaimLostException e) {
            simulation.visit(Branch.LOST_AT_QUARANTINE);
            throw e;
        }
        running.quarantined.add(id);
    }

    @Override
    public Optional<Processed> find(MessageId id) {
        return call("find " + id.value(), () -> memory.find(id));
    }

    @Override
    public boolean forget(MessageId id) {
        throw new UnsupportedOperationException();
    }

    /** Takes a committed claim back, as no store does. */
    void takeBack(MessageId id) {
        memory.forget(id);
    }

    @Override
    public int purge(Duration olderThan, int limit) {
        throw new UnsupportedOperationException();
    }

    private void awaitAll(Set<MessageId> ids) {
        Running nobody = new Running();
        ids.stream().sorted().forEach(id -> await(id, nobody));
    }

    private static Set<MessageId> ids(List<Claim> leased) {
        return leased.stream().map(lease -> lease.delivery().id()).collect(Collectors.toSet());
    }

    @Override
    public List<Claim> lease(List<Delivery> deliveries, Duration length) {
        return call("lease " + named(deliveries), () -> {
            awaitAll(deliveries.stream().map(Delivery::id).collect(Collectors.toSet()));
            List<Claim> claims = memory.lease(deliveries, length);
            simulation.history().leased(claims);
            if (!simulation.isBroken(Broken.IN_PROGRESS_CALLED_DUPLICATE)) {
                return claims;
            }
            return claims.stream()
                    .map(claim -> claim.status() == Claim.Status.IN_PROGRESS
                            ? Claim.duplicate(claim.delivery(), Optional.empty())
                            : claim)
                    .toList();
        });
    }

    @Override
    public List<Claim> renew(List<Claim> leased, Duration length) {
        return inVerb(() -> call("renew " + ids(leased), () -> {
            if (simulation.isBroken(Broken.LEASE_NOT_RENEWED)) {
                List<Claim> renewed = leased.stream()
                        .map(lease -> lease.renewed(now().plus(length)))
                        .toList();
                simulation.history().renewed(renewed);
                return renewed;
            }
            awaitAll(ids(leased));
            try {
                List<Claim> renewed = memory.renew(leased, length);
                simulation.visit(Branch.LEASE_RENEWED);
                simulation.history().renewed(renewed);
                return renewed;
            } catch (ClaimLostException e) {
                simulation.visit(Branch.LOST_AT_RENEW);
                simulation.history().ended(e.lost());
                throw e;
            }
        }));
    }

    @Override
    public void complete(List<Claim> leased) {
        end("complete ", leased, Branch.LOST_AT_COMPLETE, () -> memory.complete(leased));
    }

    @Override
    public void release(List<Claim> leased) {
        end("release ", leased, Branch.LOST_AT_RELEASE, () -> {
            if (simulation.isBroken(Broken.RELEASED_COUNTED_AS_PROCESSED)) {
                memory.complete(leased);
                return;
            }
            try {
                memory.release(leased);
            } catch (ClaimLostException e) {
                if (simulation.isBroken(Broken.LATE_OWNER_RELEASES)) {
                    e.lost().forEach(lost -> takeBack(lost.delivery().id()));
                    return;
                }
                throw e;
            }
        });
    }

    private void end(String verb, List<Claim> leased, Branch lost, Runnable work) {
        inVerb(() -> {
            if (!leased.isEmpty() && !simulation.history().holds(leased.get(0))) {
                simulation.visit(Branch.LEASE_ENDED_LATER);
            }
            simulation.history().ended(leased);
            return call(verb + ids(leased), () -> {
                awaitAll(ids(leased));
                try {
                    work.run();
                } catch (ClaimLostException e) {
                    simulation.visit(lost);
                    throw e;
                } finally {
                    simulation.history().checkSettled(ids(leased));
                }
                return leased;
            });
        });
    }

    private <T> T inVerb(Supplier<T> work) {
        Member process = simulation.process();
        process.verbs++;
        try {
            return work.get();
        } finally {
            process.verbs--;
        }
    }

    private static String named(List<Delivery> deliveries) {
        return deliveries.stream()
                .map(delivery ->
                        delivery.id().value() + "@" + delivery.position().partition() + "-"
                                + delivery.position().offset())
                .toList()
                .toString();
    }
}
