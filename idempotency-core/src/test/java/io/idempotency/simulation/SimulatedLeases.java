package io.idempotency.simulation;

import io.idempotency.memory.MemoryStore;
import io.idempotency.store.Claim;
import io.idempotency.store.ClaimLostException;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/** The lease verbs of the store. {@link LeaseHistory} compares each answer with what is promised. */
final class SimulatedLeases {

    private final Simulation simulation;
    private final Wire wire;
    private final RowLocks locks;
    private final MemoryStore memory;
    /** Leases that could not be completed, for a variant that does not try again. */
    private final Set<Claim> givenUp = new HashSet<>();

    /** Leases whose owners were told that they are lost. */
    private final Set<Claim> knownLost = new HashSet<>();

    SimulatedLeases(Simulation simulation, Wire wire, RowLocks locks, MemoryStore memory) {
        this.simulation = simulation;
        this.wire = wire;
        this.locks = locks;
        this.memory = memory;
    }

    private LeaseHistory history() {
        return simulation.history().leases();
    }

    List<Claim> lease(List<Delivery> deliveries, Duration length) {
        List<Claim> claims = wire.call("lease " + SimulatedStore.named(deliveries), () -> {
            locks.awaitAll(SimulatedStore.ids(deliveries));
            List<Claim> leased = memory.lease(deliveries, length);
            if (simulation.isBroken(Broken.LEASED_BEHIND_ANOTHER)) {
                leased = leased.stream()
                        .map(claim -> leasedAnyway(claim, length))
                        .toList();
            }
            if (simulation.isBroken(Broken.HELD_MESSAGE_REPLAYED)
                    && simulation.process().isReplaying()) {
                leased = leased.stream()
                        .map(claim -> leasedByForce(claim, length))
                        .toList();
            }
            history().leased(leased);
            return leased;
        });
        history().answered(claims, simulation.process());
        return simulation.isBroken(Broken.IN_PROGRESS_CALLED_DUPLICATE)
                ? claims.stream().map(SimulatedLeases::duplicateIfLeased).toList()
                : claims;
    }

    private static Claim duplicateIfLeased(Claim claim) {
        return claim.status() == Claim.Status.IN_PROGRESS ? Claim.duplicate(claim.delivery(), Optional.empty()) : claim;
    }

    private Claim leasedByForce(Claim claim, Duration length) {
        if (claim.status() != Claim.Status.IN_PROGRESS) {
            return claim;
        }
        simulation.store().takeBack(claim.delivery().id());
        return memory.lease(List.of(claim.delivery()), length).get(0);
    }

    private Claim leasedAnyway(Claim claim, Duration length) {
        return claim.status() == Claim.Status.IN_PROGRESS
                ? memory.lease(List.of(claim.delivery()), length).get(0)
                : claim;
    }

    List<Claim> renew(List<Claim> leased, Duration length) {
        Member process = simulation.process();
        List<Claim> done = new ArrayList<>();
        return inVerb(() -> {
            try {
                return wire.call("renew " + ids(leased), () -> {
                    done.addAll(renewed(leased, length));
                    history().renewed(done, process);
                    return done;
                });
            } catch (TransientStoreException e) {
                history().renewalLost(done, process);
                throw e;
            }
        });
    }

    private List<Claim> renewed(List<Claim> leased, Duration length) {
        if (simulation.isBroken(Broken.LEASE_NOT_RENEWED)) {
            return leased.stream()
                    .map(lease -> lease.renewed(wire.now().plus(length)))
                    .toList();
        }
        locks.awaitAll(ids(leased));
        if (!Collections.disjoint(knownLost, leased)) {
            throw simulation.baton().violated("a lease is renewed again whose owner knows that it is lost");
        }
        try {
            List<Claim> renewed = memory.renew(leased, length);
            simulation.visit(Branch.LEASE_RENEWED);
            return renewed;
        } catch (ClaimLostException e) {
            simulation.visit(Branch.LOST_AT_RENEW);
            knownLost.addAll(e.lost());
            throw e;
        }
    }

    void complete(List<Claim> leased) {
        end("complete ", leased, Branch.LOST_AT_COMPLETE, process -> {
            List<Claim> due = new ArrayList<>(leased);
            if (simulation.isBroken(Broken.COMPLETION_NOT_RETRIED)) {
                due.removeIf(givenUp::contains);
            }
            if (simulation.isBroken(Broken.LATE_OWNER_COMPLETES)) {
                due.replaceAll(this::current);
            }
            memory.complete(due);
        });
    }

    /** Returns the lease of whoever holds the message now, as far as it is known. */
    private Claim current(Claim lease) {
        return history().current(lease).orElse(lease);
    }

    void release(List<Claim> leased) {
        end("release ", leased, Branch.LOST_AT_RELEASE, process -> {
            if (simulation.isBroken(Broken.RELEASED_COUNTED_AS_PROCESSED)) {
                memory.complete(leased);
                return;
            }
            try {
                memory.release(leased);
            } catch (ClaimLostException e) {
                if (simulation.isBroken(Broken.LATE_OWNER_RELEASES)) {
                    e.lost()
                            .forEach(lost ->
                                    simulation.store().takeBack(lost.delivery().id()));
                    return;
                }
                throw e;
            }
        });
    }

    /** A verb that ends leases. */
    private interface End {
        void by(Member process);
    }

    private void end(String verb, List<Claim> leased, Branch lost, End work) {
        Member process = simulation.process();
        inVerb(() -> {
            if (history().isEndedAgain(leased, process)) {
                simulation.visit(Branch.LEASE_ENDED_LATER);
            }
            try {
                return wire.call(verb + ids(leased), () -> {
                    end(leased, lost, work, process);
                    return leased;
                });
            } catch (TransientStoreException e) {
                afterFailure(verb, leased);
                throw e;
            } catch (IllegalStateException e) {
                history().refused(leased, process);
                throw e;
            }
        });
    }

    private void end(List<Claim> leased, Branch lost, End work, Member process) {
        locks.awaitAll(ids(leased));
        List<Claim> ended = new ArrayList<>(leased);
        try {
            work.by(process);
        } catch (ClaimLostException e) {
            simulation.visit(lost);
            ended.removeAll(e.lost());
            throw e;
        } finally {
            history().ended(ended, process);
            simulation.history().checkSettled(ids(leased));
        }
    }

    private void afterFailure(String verb, List<Claim> leased) {
        if (verb.startsWith("complete")) {
            givenUp.addAll(leased);
            if (simulation.isBroken(Broken.UNCOMPLETED_RELEASED)) {
                try {
                    memory.release(leased);
                } catch (ClaimLostException e) {
                    simulation.note("lost: " + e.lost());
                }
            }
        }
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

    private static Set<MessageId> ids(List<Claim> leased) {
        return SimulatedStore.ids(leased.stream().map(Claim::delivery).toList());
    }
}
