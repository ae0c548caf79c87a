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
import java.util.Set;

/** What happened to each message, compared with what docs/guarantees.md promises, at each step and not only at the end. */
final class History {

    private final Simulation simulation;
    private final Map<MessageId, Integer> effects = new HashMap<>();
    private final Map<MessageId, Integer> failures = new HashMap<>();
    private final Map<MessageId, Held> leases = new HashMap<>();
    /** Of each partition, the offset of the last message that had its effect from there. */
    private final Map<Integer, Long> lastEffects = new HashMap<>();

    private final Set<MessageId> excused = new HashSet<>();
    private final Set<MessageId> quarantined = new HashSet<>();
    private final Map<MessageId, Delivery> handledAt = new HashMap<>();

    private record Held(Member process, int life, Instant until) {}

    History(Simulation simulation) {
        this.simulation = simulation;
    }

    private boolean isLevel(ConsistencyLevel level) {
        return simulation.level() == level;
    }

    private int effects(MessageId id) {
        return effects.getOrDefault(id, 0);
    }

    private Baton.Over violated(String what) {
        return simulation.baton().violated(what);
    }

    /** Notes an effect that is there at once. */
    void effect(MessageId id) {
        int now = effects.merge(id, 1, Integer::sum);
        simulation.note("effect " + id.value());
        if (now > 1 && !isLevel(ConsistencyLevel.AT_LEAST_ONCE)) {
            throw violated("a second effect of " + id.value());
        }
    }

    void failed(MessageId id) {
        failures.merge(id, 1, Integer::sum);
        excused.add(id);
    }

    /** Notes that the effect of messages may be missing where the claim is committed first: a crash, a failure, a commit of unknown outcome. */
    void excuse(Set<MessageId> ids) {
        excused.addAll(ids);
    }

    void handles(Delivery delivery) {
        handledAt.put(delivery.id(), delivery);
    }

    /** Notes that a transaction is committed. */
    void commits(SimulatedStore.Running running) {
        simulation.note("commits the effects of "
                + running.effects.stream().map(MessageId::value).toList());
        for (MessageId id : running.quarantined) {
            quarantines(id);
        }
        for (MessageId id : running.effects) {
            effect(id);
            inOrder(id);
        }
        if (!isLevel(ConsistencyLevel.STRONG)) {
            return;
        }
        for (MessageId id : running.granted) {
            if (!running.quarantined.contains(id) && effects(id) == 0) {
                throw violated(id.value() + " is recorded as processed without its effect");
            }
        }
    }

    private void quarantines(MessageId id) {
        quarantined.add(id);
        if (isLevel(ConsistencyLevel.STRONG)) {
            if (effects(id) > 0) {
                throw violated(id.value() + " is quarantined and has had its effect");
            }
            if (failures.getOrDefault(id, 0) < Simulation.ATTEMPTS) {
                throw violated(id.value() + " is quarantined after " + failures.getOrDefault(id, 0)
                        + " failures of its handler");
            }
        }
    }

    private void inOrder(MessageId id) {
        Delivery delivery = handledAt.get(id);
        if (isLevel(ConsistencyLevel.STRONG) && delivery != null && !simulation.isBroken()) {
            long offset = delivery.position().offset();
            long last = lastEffects.merge(delivery.position().partition(), offset, Math::max);
            if (offset < last) {
                throw violated("the effect of " + delivery + " comes after the one at " + last);
            }
        }
    }

    void claimed(List<Claim> claims) {
        for (Claim claim : claims) {
            if (claim.status() == Claim.Status.DUPLICATE) {
                simulation.visit(Branch.DUPLICATE_BY_STORE);
            }
        }
    }

    void leased(List<Claim> claims) {
        for (Claim claim : claims) {
            MessageId id = claim.delivery().id();
            if (claim.status() == Claim.Status.IN_PROGRESS) {
                simulation.visit(Branch.LEASE_IN_PROGRESS);
            } else if (claim.status() == Claim.Status.DUPLICATE) {
                simulation.visit(Branch.DUPLICATE_BY_STORE);
            } else if (claim.isGranted()) {
                Member process = simulation.process();
                Held before = leases.put(id, new Held(process, process.life, claim.until()));
                if (before == null) {
                    continue;
                }
                boolean isAlive = before.process.life == before.life;
                if (isAlive
                        && before.process != process
                        && before.until.isAfter(simulation.store().now())) {
                    throw violated("two processes hold a lease of " + id.value());
                }
                if (!before.until.isAfter(simulation.store().now())) {
                    simulation.visit(Branch.LEASE_TAKEN_OVER);
                }
            }
        }
    }

    void renewed(List<Claim> claims) {
        Member process = simulation.process();
        claims.forEach(claim -> leases.put(claim.delivery().id(), new Held(process, process.life, claim.until())));
    }

    boolean holds(Claim claim) {
        Held held = leases.get(claim.delivery().id());
        return held != null && held.process == simulation.process();
    }

    boolean holdsAny(Member process) {
        return leases.values().stream().anyMatch(held -> held.process == process && held.life == process.life);
    }

    /** Notes that a process no longer counts on its leases. */
    void ended(List<Claim> claims) {
        for (Claim claim : claims) {
            leases.computeIfPresent(
                    claim.delivery().id(), (id, held) -> held.process == simulation.process() ? null : held);
        }
    }

    /** What leases made processed has had its effect. */
    void checkSettled(Collection<MessageId> ids) {
        for (MessageId id : ids) {
            if (effects(id) == 0 && isProcessed(id)) {
                throw violated(id.value() + " is recorded as processed without its effect");
            }
        }
    }

    private boolean isProcessed(MessageId id) {
        return simulation.store().committed(id).isPresent() && !quarantined.contains(id);
    }

    /** Compares what the library tells of a message with what is so. */
    void told(Consumption told) {
        MessageId id = told.delivery().id();
        simulation.note("is told of " + told.outcome() + " " + told.delivery());
        if (told.outcome() == Outcome.QUARANTINED) {
            simulation.visit(Branch.QUARANTINED);
        } else if (told.outcome() == Outcome.RELEASED && !told.isTransient()) {
            simulation.visit(Branch.RETRIED);
        }
        if (told.isTransient()) {
            simulation.visit(Branch.TRANSIENT_STOP);
        }
        told.duplicate()
                .ifPresent(why ->
                        simulation.visit(why.kind() == Duplicate.Kind.RESEND ? Branch.RESENT : Branch.REDELIVERED));
        if (told.outcome().isSettled() && simulation.store().committed(id).isEmpty()) {
            throw violated(id.value() + " is called " + told.outcome() + ", and the store does not know it");
        }
    }

    /** Checks that nothing is left behind a committed offset. */
    void offsetCommitted(int partition, long offset, List<SimulatedLog.Entry> before) {
        for (SimulatedLog.Entry entry : before) {
            if (simulation.store().committed(simulation.id(entry.id())).isEmpty()) {
                throw violated("offset " + offset + " of partition " + partition + " is committed, and " + entry
                        + " in front of it is not settled");
            }
        }
    }

    /** Checks what has come of all messages. */
    void checkEnd(Collection<String> ids) {
        for (String value : ids) {
            MessageId id = simulation.id(value);
            if (simulation.store().committed(id).isEmpty()) {
                throw new Violation(value + " is lost");
            }
            boolean isMissing = isProcessed(id) && effects(id) == 0;
            if (isMissing && !(isLevel(ConsistencyLevel.AT_MOST_ONCE) && excused.contains(id))) {
                throw new Violation("the effect of " + value + " is missing");
            }
        }
    }
}
