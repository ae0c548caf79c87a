package io.idempotency.simulation;

import io.idempotency.store.Claim;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The leases of each message in the order they were granted. One lease has one effect at most. A second lease may have another one only if the
 * first has failed, or ended with its time while its process was dead, paused or cut off.
 */
final class LeaseHistory {

    private final Simulation simulation;
    private final Map<MessageId, List<Lease>> leases = new HashMap<>();

    private static final class Lease {
        private final Member process;
        private final int life;
        private Claim claim;
        private int effects;
        /** How often its process tried to end it. */
        private int endTries;
        /** The store refused to end it when that was tried again, so it is left to its time. */
        private boolean isGivenUp;

        /** Its process knows that it was granted. */
        private boolean isAnswered;

        private boolean isEnded;
        private boolean isFailed;
        /** It was renewed, and the answer was lost. */
        private boolean isRenewedUntold;

        private boolean isLapsed;
        /** Its own process leased the message again, after having let the lease lapse. */
        private boolean isLapsedAtOwner;

        Lease(Member process, Claim claim) {
            this.process = process;
            this.life = process.life;
            this.claim = claim;
        }

        private boolean isOf(Member member) {
            return process == member && life == member.life;
        }

        /** Returns whether its process did what it could: tried to end it, and once more. It cannot if it knows nothing of it. */
        private boolean isGivenBackTwice() {
            return endTries > 1 || !isAnswered;
        }

        private boolean excusesAnother() {
            return isFailed || isRenewedUntold || (isLapsed && (!isLapsedAtOwner || isGivenUp));
        }
    }

    LeaseHistory(Simulation simulation) {
        this.simulation = simulation;
    }

    private List<Lease> of(MessageId id) {
        return leases.computeIfAbsent(id, any -> new ArrayList<>());
    }

    private @Nullable Lease last(MessageId id) {
        List<Lease> all = leases.getOrDefault(id, List.of());
        return all.isEmpty() ? null : all.get(all.size() - 1);
    }

    private @Nullable Lease find(Claim claim, Member process) {
        List<Lease> all = leases.getOrDefault(claim.delivery().id(), List.of());
        for (int i = all.size() - 1; i >= 0; i--) {
            if (all.get(i).isOf(process) && all.get(i).claim.attempt() == claim.attempt()) {
                return all.get(i);
            }
        }
        return null;
    }

    void leased(List<Claim> claims) {
        Set<Object> blocked = new HashSet<>();
        for (Claim claim : claims) {
            Position position = claim.delivery().position();
            if (claim.status() == Claim.Status.IN_PROGRESS) {
                simulation.visit(Branch.LEASE_IN_PROGRESS);
                blocked.add(position.partition());
            } else if (claim.status() == Claim.Status.DUPLICATE) {
                simulation.visit(Branch.DUPLICATE_BY_STORE);
            } else if (claim.isGranted()) {
                if (blocked.contains(position.partition())) {
                    throw simulation.baton().violated(claim.delivery() + " is leased behind one in progress");
                }
                granted(claim, simulation.process());
            }
        }
    }

    private void granted(Claim claim, Member process) {
        MessageId id = claim.delivery().id();
        Lease before = last(id);
        if (before != null && !before.isEnded) {
            if (before.claim.until().isAfter(simulation.store().now())) {
                throw simulation.baton().violated("two processes hold a lease of " + id.value());
            }
            simulation.visit(Branch.LEASE_TAKEN_OVER);
            before.isLapsed = true;
            before.isLapsedAtOwner = before.isOf(process);
            if (before.isLapsedAtOwner && !before.isGivenBackTwice() && !before.isRenewedUntold) {
                throw simulation
                        .baton()
                        .violated(id.value() + " is leased again, and its former lease not given back first");
            }
        }
        of(id).add(new Lease(process, claim));
    }

    /** Notes that the process was told which leases it has. */
    void answered(List<Claim> claims, Member process) {
        for (Claim claim : claims) {
            Lease lease = claim.isGranted() ? find(claim, process) : null;
            if (lease != null) {
                lease.isAnswered = true;
            }
        }
    }

    void renewed(List<Claim> claims, Member process) {
        for (Claim claim : claims) {
            Lease lease = find(claim, process);
            if (lease != null) {
                requireLast(lease, claim, "renewed");
                lease.claim = claim;
            }
        }
    }

    /** Notes that the leases are renewed and their owner does not know: it has another end in mind, so it has lost them. */
    void renewalLost(List<Claim> claims, Member process) {
        for (Claim claim : claims) {
            Lease lease = find(claim, process);
            if (lease != null) {
                lease.isRenewedUntold = true;
            }
        }
    }

    private void requireLast(Lease lease, Claim claim, String verb) {
        MessageId id = claim.delivery().id();
        if (last(id) != lease) {
            throw simulation
                    .baton()
                    .violated("a lease of " + id.value() + " is " + verb + " that another attempt has taken");
        }
    }

    /** Returns whether the process has tried to end the first of the leases before. */
    boolean isEndedAgain(List<Claim> claims, Member process) {
        boolean isAgain = false;
        for (Claim claim : claims) {
            Lease lease = find(claim, process);
            if (lease != null) {
                isAgain |= lease.endTries++ > 0;
            }
        }
        return isAgain;
    }

    /** Notes that the store refused to end the leases. The library tries that once more. */
    void refused(List<Claim> claims, Member process) {
        for (Claim claim : claims) {
            Lease lease = find(claim, process);
            if (lease != null) {
                lease.isGivenUp = lease.endTries > 1;
            }
        }
    }

    /** Notes leases that were completed, released or quarantined. */
    void ended(List<Claim> claims, Member process) {
        for (Claim claim : claims) {
            Lease lease = find(claim, process);
            if (lease != null) {
                requireLast(lease, claim, "ended");
                lease.isEnded = true;
            }
        }
    }

    /** Notes that a message is quarantined: nobody holds it any more. */
    void quarantined(MessageId id) {
        Lease last = last(id);
        if (last != null) {
            last.isEnded = true;
        }
    }

    /** Returns the lease that is the message's now. */
    Optional<Claim> current(Claim claim) {
        return Optional.ofNullable(last(claim.delivery().id())).map(lease -> lease.claim);
    }

    boolean holdsAny(Member process) {
        return leases.values().stream()
                .flatMap(List::stream)
                .anyMatch(lease -> lease.isOf(process) && !lease.isEnded && !lease.isLapsed);
    }

    /** Notes that the handler is given a message. One whose handlers did not come back is handled while nothing else is leased. */
    void handled(Claim claim, Member process) {
        Lease own = find(claim, process);
        if (own == null) {
            return;
        }
        if (claim.starts() > 0) {
            simulation.visit(Branch.SUSPECT_ALONE);
            leases.values().stream()
                    .flatMap(List::stream)
                    .filter(lease -> lease != own && lease.isOf(process) && !lease.isEnded && lease.endTries == 0)
                    .filter(lease -> !lease.isLapsed && !lease.isRenewedUntold && lease.isAnswered)
                    .findAny()
                    .ifPresent(lease -> {
                        throw simulation
                                .baton()
                                .violated(id(claim) + " is handled beside the lease of " + id(lease.claim));
                    });
        }
    }

    private static String id(Claim claim) {
        return claim.delivery().id().value();
    }

    /** Notes an effect of the message, under its lease. */
    void effect(Claim claim, Member process) {
        MessageId id = claim.delivery().id();
        Lease own = find(claim, process);
        if (own == null) {
            return;
        }
        if (++own.effects > 1) {
            throw simulation.baton().violated("two effects of " + id.value() + " under one lease");
        }
        for (Lease lease : of(id)) {
            if (lease != own && lease.effects > 0) {
                if (!lease.excusesAnother() && last(id) == own) {
                    throw simulation.baton().violated("a second effect of " + id.value() + " without an excuse");
                }
                simulation.visit(
                        lease.isFailed
                                ? Branch.REPEATED_AFTER_FAILURE
                                : lease.isRenewedUntold
                                        ? Branch.REPEATED_AFTER_LOST_ANSWER
                                        : Branch.REPEATED_AFTER_LAPSE);
            }
        }
    }

    /** Notes that the handler of the message failed, or that of a batch of which any message may have failed. */
    void failed(Claim claim, Member process) {
        Lease lease = find(claim, process);
        if (lease != null) {
            lease.isFailed = true;
        }
    }

    /** Forgets the leases of a message of which the store knows nothing any more. */
    void forget(MessageId id) {
        leases.remove(id);
    }

    /** Forgets the leases that had ended before. */
    void purged(Instant horizon) {
        leases.values().removeIf(all -> {
            Lease last = all.get(all.size() - 1);
            return !last.isEnded && last.claim.until().isBefore(horizon);
        });
    }
}
