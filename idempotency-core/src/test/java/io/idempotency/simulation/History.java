package io.idempotency.simulation;

import io.idempotency.ConsistencyLevel;
import io.idempotency.Consumption;
import io.idempotency.Duplicate;
import io.idempotency.Outcome;
import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What happened to each message, compared with what docs/guarantees.md promises, at each step and not only at the end. */
final class History {

    private final Simulation simulation;
    private final LeaseHistory leases;
    private final ReplayHistory replays;
    private final Map<MessageId, Integer> effects = new HashMap<>();
    private final Map<MessageId, Integer> failures = new HashMap<>();
    private final Map<MessageId, Integer> starts = new HashMap<>();
    private final Map<MessageId, Integer> transients = new HashMap<>();
    /** How many effects of a message may be there beside the first: it was forgotten, or its handler committed early and failed. */
    private final Map<MessageId, Integer> repeats = new HashMap<>();
    /** Of each partition, the offset of the last message that had its effect from there. */
    private final Map<Integer, Long> lastEffects = new HashMap<>();

    private final Set<MessageId> excused = new HashSet<>();
    private final Set<MessageId> quarantined = new HashSet<>();
    private final Set<MessageId> forgotten = new HashSet<>();

    History(Simulation simulation) {
        this.simulation = simulation;
        this.leases = new LeaseHistory(simulation);
        this.replays = new ReplayHistory(simulation);
    }

    LeaseHistory leases() {
        return leases;
    }

    private boolean isLevel(ConsistencyLevel level) {
        return simulation.level() == level;
    }

    private static int count(Map<MessageId, Integer> counts, MessageId id) {
        return counts.getOrDefault(id, 0);
    }

    private Baton.Over violated(String what) {
        return simulation.baton().violated(what);
    }

    /** Notes an effect that is there at once. */
    void effect(MessageId id) {
        if (!forgotten.contains(id)) {
            replays.effect(id);
        }
        int now = effects.merge(id, 1, Integer::sum);
        simulation.note("effect " + id.value());
        if (now > 1 + count(repeats, id) && !isLevel(ConsistencyLevel.AT_LEAST_ONCE)) {
            throw violated("a second effect of " + id.value());
        }
    }

    void failed(MessageId id) {
        failures.merge(id, 1, Integer::sum);
        excused.add(id);
    }

    /** Notes that the handler of a message failed, or killed its process. Leases count both, whoever holds them, so that it ends. */
    void started(MessageId id) {
        int now = starts.merge(id, 1, Integer::sum);
        // It is started again after a quarantine that failed, and once by each process where it has failed before.
        int most = Simulation.ATTEMPTS + simulation.otherProcesses() + count(transients, id);
        boolean isBounded = isLevel(ConsistencyLevel.AT_LEAST_ONCE) && !simulation.allows(Fault.STORE_REFUSES);
        if (isBounded && now > most && !forgotten.contains(id)) {
            throw violated(
                    "the handler of " + id.value() + " was started " + now + " times, and it is not quarantined");
        }
    }

    /** Notes that the effect of messages may be missing where the claim is committed first: a crash, a failure, a commit of unknown outcome. */
    void excuse(Set<MessageId> ids) {
        excused.addAll(ids);
    }

    /** Notes that a transaction is committed. */
    void commits(RunningTransaction running) {
        simulation.note("commits the effects of " + ids(running.effects));
        running.forgotten.forEach(this::forgets);
        running.quarantined.forEach(claim -> quarantines(
                claim.delivery().id(), running.isBehind(claim.delivery().id())));
        quarantined.removeAll(running.deleted);
        replays.commits(running);
        for (Delivery delivery : running.effects) {
            effect(delivery.id());
            inOrder(delivery, running.isReplay);
        }
        if (!isLevel(ConsistencyLevel.STRONG) || simulation.isBroken(Broken.EFFECT_OUTSIDE_TRANSACTION)) {
            return;
        }
        Set<MessageId> done = SimulatedStore.ids(running.effects);
        done.addAll(running.committedEarly);
        for (MessageId id : running.granted.keySet()) {
            if (!running.isQuarantined(id) && !done.contains(id)) {
                throw violated(id.value() + " is recorded as processed without its effect");
            }
        }
    }

    private static List<String> ids(List<Delivery> deliveries) {
        return deliveries.stream().map(delivery -> delivery.id().value()).toList();
    }

    /** Notes that a message could not be quarantined for now. */
    void notQuarantined(Claim claim) {
        transients.merge(claim.delivery().id(), 1, Integer::sum);
    }

    /** Notes that effects were committed by a handler, before the claims are proved. */
    void commitsEarly(RunningTransaction running) {
        for (MessageId id : SimulatedStore.ids(running.effects)) {
            effect(id);
            running.committedEarly.add(id);
        }
        running.effects.clear();
    }

    /** Notes that a transaction failed of which a handler had committed a part: that part may come twice. */
    void undone(RunningTransaction running) {
        running.committedEarly.forEach(id -> repeats.merge(id, 1, Integer::sum));
    }

    private void quarantines(MessageId id, boolean isBehind) {
        quarantined.add(id);
        starts.remove(id);
        leases.quarantined(id);
        if (isLevel(ConsistencyLevel.STRONG) && !isLoose(id)) {
            if (count(effects, id) > 0) {
                throw violated(id.value() + " is quarantined and has had its effect");
            }
            if (count(failures, id) < Simulation.ATTEMPTS && !isBehind) {
                throw violated(
                        id.value() + " is quarantined after " + count(failures, id) + " failures of its handler");
            }
        }
    }

    /** Returns whether the message was forgotten, or committed early: it may be in any state then. */
    private boolean isLoose(MessageId id) {
        return forgotten.contains(id) || repeats.containsKey(id);
    }

    private void inOrder(Delivery delivery, boolean isReplay) {
        // Behind a record that was compacted away the next owner goes on, while a zombie may still handle it.
        boolean isOrdered = isLevel(ConsistencyLevel.STRONG) && !simulation.allows(Fault.COMPACTION);
        if (!isOrdered || isLoose(delivery.id())) {
            return;
        }
        if (simulation.isKeyed()) {
            replays.inOrder(delivery);
        } else if (!simulation.isBroken() && !isReplay) {
            long offset = delivery.position().offset();
            long last = lastEffects.merge(delivery.position().partition(), offset, Math::max);
            if (offset < last) {
                throw violated("the effect of " + delivery + " comes after the one at " + last);
            }
        }
    }

    /** Notes that a message is forgotten, so that its next delivery is new. */
    void forgets(MessageId id) {
        forgotten.add(id);
        repeats.merge(id, 1, Integer::sum);
        leases.forget(id);
    }

    /** Returns the messages that the store knows, and when they were settled. */
    Map<MessageId, Instant> known() {
        Map<MessageId, Instant> known = new HashMap<>();
        for (String value : simulation.producer().ids()) {
            MessageId id = simulation.id(value);
            simulation.store().committed(id).ifPresent(settled -> known.put(id, settled.at()));
        }
        return known;
    }

    /** Notes a purge: what it forgot was older than the horizon. */
    void purged(Map<MessageId, Instant> before, Instant horizon) {
        simulation.visit(Branch.PURGED);
        before.forEach((id, settledAt) -> {
            if (simulation.store().committed(id).isEmpty()) {
                if (settledAt.isAfter(horizon)) {
                    throw violated(id.value() + " is purged before its time");
                }
                forgets(id);
            }
        });
        leases.purged(horizon);
        // The row of a lease that has ended may be gone, and with it the number of starts.
        starts.clear();
    }

    void claimed(List<Claim> claims) {
        for (Claim claim : claims) {
            if (claim.status() == Claim.Status.DUPLICATE) {
                simulation.visit(Branch.DUPLICATE_BY_STORE);
            }
        }
    }

    /** What leases made processed has had its effect. */
    void checkSettled(Collection<MessageId> ids) {
        for (MessageId id : ids) {
            if (count(effects, id) == 0 && isProcessed(id)) {
                throw violated(id.value() + " is recorded as processed without its effect");
            }
        }
    }

    private boolean isProcessed(MessageId id) {
        return simulation.store().committed(id).isPresent() && !quarantined.contains(id) && !replays.isDropped(id);
    }

    /** Returns whether the message was settled, even if that is forgotten. */
    private boolean isSettled(MessageId id) {
        return simulation.store().committed(id).isPresent() || forgotten.contains(id);
    }

    /** Returns whether the quarantine has the message. While it is replayed under a lease, nothing else remembers it. */
    private boolean isKept(MessageId id) {
        return simulation.store().quarantine().isKept(id);
    }

    /** Compares what the library tells of a message with what is so. */
    void told(Consumption told) {
        MessageId id = told.delivery().id();
        simulation.note("is told of " + told.outcome() + " " + told.delivery());
        if (told.outcome() == Outcome.QUARANTINED) {
            simulation.visit(Branch.QUARANTINED);
        } else if (told.isTransient()) {
            simulation.visit(Branch.TRANSIENT_STOP);
            transients.merge(id, 1, Integer::sum);
        } else if (told.outcome() == Outcome.RELEASED) {
            simulation.visit(Branch.RETRIED);
        }
        Optional<Duplicate> duplicate = told.duplicate();
        duplicate.ifPresent(
                why -> simulation.visit(why.kind() == Duplicate.Kind.RESEND ? Branch.RESENT : Branch.REDELIVERED));
        if (told.outcome().isSettled() && simulation.process().transaction != null) {
            throw violated(id.value() + " is called " + told.outcome() + " within a transaction");
        }
        if (told.outcome().isSettled() && !isSettled(id) && !isKept(id)) {
            throw violated(id.value() + " is called " + told.outcome() + ", and the store does not know it");
        }
    }

    /** Checks that nothing is left behind a committed offset. */
    void offsetCommitted(int partition, long offset, List<SimulatedLog.Entry> before) {
        for (SimulatedLog.Entry entry : before) {
            MessageId id = simulation.id(entry.id());
            if (!isSettled(id) && !isKept(id)) {
                throw violated("offset " + offset + " of partition " + partition + " is committed, and " + entry
                        + " in front of it is not settled");
            }
        }
    }

    /** Checks what has come of all messages. */
    void checkEnd() {
        replays.checkEnd();
        for (String value : simulation.producer().ids()) {
            MessageId id = simulation.id(value);
            if (!isSettled(id)) {
                throw new Violation(value + " is lost");
            }
            boolean isMissing = count(effects, id) == 0 && !quarantined.contains(id) && !replays.isDropped(id);
            if (isMissing && !(isLevel(ConsistencyLevel.AT_MOST_ONCE) && excused.contains(id))) {
                throw new Violation("the effect of " + value + " is missing");
            }
            boolean isQuarantined = quarantined.contains(id) && !forgotten.contains(id);
            if (isQuarantined != isKept(id) && !isLoose(id)) {
                throw new Violation(value + " is quarantined: " + isQuarantined + ", but kept: " + !isQuarantined);
            }
        }
    }
}
