package io.idempotency.simulation;

import io.idempotency.ConsistencyLevel;
import io.idempotency.memory.MemoryQuarantine;
import io.idempotency.memory.MemoryReplays;
import io.idempotency.memory.MemoryStore;
import io.idempotency.simulation.RunningTransaction.Ending;
import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.TransactionLostException;
import io.idempotency.store.Transactions;
import io.idempotency.store.TransientStoreException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Runs transactions, and lets their commits go wrong: refused, undone without a word, without an answer, late. */
final class SimulatedTransactions implements Transactions {

    private static final long MOST_LINGERING_NANOS = 8_000_000_000L;

    private final Simulation simulation;
    private final Wire wire;
    private final RowLocks locks;
    private final MemoryStore memory;
    private final MemoryQuarantine quarantine;
    private final MemoryReplays replays;
    private final LateCommits late;
    private final EarlyClaims early;

    SimulatedTransactions(Simulation simulation, Wire wire, RowLocks locks, Memory memory) {
        this.simulation = simulation;
        this.wire = wire;
        this.locks = locks;
        this.memory = memory.store();
        this.quarantine = memory.quarantine();
        this.replays = memory.replays();
        this.late = new LateCommits(simulation, locks);
        this.early = new EarlyClaims(wire);
    }

    LateCommits late() {
        return late;
    }

    EarlyClaims early() {
        return early;
    }

    @Override
    public boolean isActive() {
        return simulation.process().transaction != null;
    }

    RunningTransaction running() {
        RunningTransaction running = simulation.process().transaction;
        if (running == null) {
            throw new IllegalStateException("No transaction is active");
        }
        return running;
    }

    @Override
    public void afterCommit(Runnable action) {
        running().afterCommit.add(action);
    }

    @Override
    public void ifCommittedEarly(Runnable action) {
        running().ifCommittedEarly.add(action);
    }

    @Override
    public boolean isTransient(Throwable failure) {
        return memory.transactions().isTransient(failure);
    }

    @Override
    public void inTransaction(Runnable work) {
        Member process = simulation.process();
        if (process.transaction != null) {
            join(process.transaction, work);
            return;
        }
        wire.fault("begin");
        RunningTransaction running = new RunningTransaction();
        running.isReplay = process.isReplaying();
        process.transaction = running;
        boolean isCommitted = false;
        try {
            memory.transactions().inTransaction(() -> run(running, work));
            isCommitted = true;
        } catch (TransientStoreException e) {
            if (running.ending == Ending.SILENTLY_UNDONE) {
                return;
            }
            if (running.ending != Ending.TAKEN_FOR_DONE) {
                throw e;
            }
        } finally {
            process.transaction = null;
            end(running, isCommitted);
        }
        if (running.hidden != null) {
            throw running.hidden;
        }
        if (running.ending == Ending.DONE_UNTOLD) {
            simulation.visit(Branch.COMMIT_UNKNOWN_DONE);
            throw new TransientStoreException("Nobody knows whether this was committed");
        }
        simulation.point("committed");
        running.afterCommit.forEach(Runnable::run);
    }

    /** Takes part in a transaction of the caller. What fails here has spoiled all of it. */
    private void join(RunningTransaction outer, Runnable work) {
        simulation.visit(Branch.TRANSACTION_JOINED);
        if (simulation.isBroken(Broken.SWALLOWED_FAILURE_COMMITTED)) {
            work.run();
            return;
        }
        boolean isDone = false;
        try {
            work.run();
            isDone = true;
        } finally {
            outer.isLost |= !isDone;
        }
    }

    private void run(RunningTransaction running, Runnable work) {
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
            if (simulation.isBroken(Broken.CLAIM_COMMITTED_BEFORE_EFFECT) && running.ending == Ending.TOLD) {
                running.hidden = e;
                return;
            }
            if (e.getClass().getSimpleName().equals("OutOfTime")) {
                simulation.visit(Branch.CHUNK_OUT_OF_TIME);
            }
            throw e;
        }
    }

    private void commit(RunningTransaction running) {
        if (running.isLost) {
            simulation.visit(Branch.CALLER_SWALLOWED);
            throw new TransactionLostException("A part of the transaction failed, so it is rolled back");
        }
        simulation.point("commit");
        if (simulation.happens(Fault.COMMIT_FAILS)) {
            simulation.visit(Branch.COMMIT_REFUSED);
            simulation.note("the commit is refused");
            throw new TransientStoreException("The commit was refused");
        }
        if (simulation.happens(Fault.COMMIT_SILENTLY_UNDONE)) {
            simulation.visit(Branch.COMMIT_SILENTLY_UNDONE);
            simulation.note("is rolled back without a word");
            running.ending = Ending.SILENTLY_UNDONE;
            // Only a handler can have set it to: that is a failure of its own.
            running.granted.keySet().forEach(simulation.history()::failed);
            throw new TransientStoreException("Set to roll back");
        }
        if (simulation.happens(Fault.COMMIT_UNKNOWN)) {
            loseAnswer(running);
        }
        running.ifCommittedEarly.forEach(action -> {
            if (running.isCommittedEarly) {
                action.run();
            }
        });
        simulation.history().commits(running);
        if (simulation.level() == ConsistencyLevel.AT_MOST_ONCE && running.ending == Ending.TOLD) {
            running.granted.keySet().stream()
                    .filter(id -> !running.isQuarantined(id))
                    .forEach(simulation.process().inHand::add);
        }
    }

    private void loseAnswer(RunningTransaction running) {
        int how = simulation.choices().below(running.isCommittedEarly ? 2 : 3);
        simulation.note("the answer of the commit is lost; it is "
                + List.of("undone", "done", "still under way").get(how));
        if (how != 0) {
            simulation.history().excuse(running.granted.keySet());
        }
        if (how == 1) {
            running.ending = Ending.DONE_UNTOLD;
            return;
        }
        if (how == 2) {
            running.ending = Ending.LATE;
            late.send(running, () -> arrive(running));
        } else {
            simulation.visit(Branch.COMMIT_UNKNOWN_UNDONE);
            if (simulation.isBroken(Broken.UNKNOWN_COMMIT_TAKEN_FOR_DONE)) {
                running.ending = Ending.TAKEN_FOR_DONE;
            }
        }
        throw new TransientStoreException("Nobody knows whether this was committed");
    }

    /** Does again what was rolled back in memory. Its rows were locked meanwhile, so it finds them as they were. */
    private void arrive(RunningTransaction running) {
        memory.transactions().inTransaction(() -> {
            running.forgotten.forEach(memory::forget);
            running.freed.forEach(memory::unquarantine);
            Map<Delivery, Claim> claims = new HashMap<>();
            memory.claim(List.copyOf(running.granted.values())).forEach(claim -> claims.put(claim.delivery(), claim));
            running.quarantined.forEach(claim -> memory.quarantine(claims.getOrDefault(claim.delivery(), claim)));
            running.kept.forEach(quarantine::save);
            running.deleted.forEach(quarantine::delete);
            running.dropped.forEach(memory.messages()::drop);
            running.counted.forEach(result -> replays.count(result.replay(), result.result(), result.failure()));
        });
        simulation.history().commits(running);
    }

    /** Commits what was done until now, as a handler does that should not. */
    void commitEarly() {
        RunningTransaction running = running();
        simulation.point("commits early");
        if (running.forgotten.isEmpty()) {
            simulation.visit(Branch.COMMITTED_EARLY);
            running.isCommittedEarly = true;
            early.add(running);
            simulation.history().commitsEarly(running);
        }
    }

    private void end(RunningTransaction running, boolean isCommitted) {
        if (running.ending != Ending.LATE) {
            locks.release(running);
        }
        if (!isCommitted && simulation.isBroken(Broken.ENTRY_DELETED_BEFORE_COMMIT)) {
            running.deleted.forEach(quarantine::delete);
        }
        if (!isCommitted) {
            running.quarantined.forEach(simulation.history()::notQuarantined);
        }
        if (!running.isCommittedEarly) {
            return;
        }
        if (isCommitted) {
            early.end(running);
            return;
        }
        simulation.visit(Branch.COMMITTED_EARLY_AND_FAILED);
        simulation.history().undone(running);
        if (simulation.isBroken(Broken.EARLY_CLAIM_TAKEN_FOR_FINAL)) {
            early.end(running);
            memory.transactions().inTransaction(() -> memory.claim(List.copyOf(running.granted.values())));
        }
        if (!simulation.process().isDead) {
            if (!simulation.happens(Fault.STORE_FAILS)) {
                early.end(running);
            }
            running.ifCommittedEarly.forEach(Runnable::run);
        }
    }
}
