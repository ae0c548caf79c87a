package io.idempotency;

import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Handles the messages that one call has leased, and completes their leases. Confined to the consuming thread. */
final class LeasedWork<M> {

    private static final long COMPLETE_EVERY_NANOS = 5_000_000;

    private final Flow<M> flow;
    private final Poll<M> poll;
    private final Handling<M> handling;
    private final HeldLeases leases;
    private final long mark;
    /** Those to complete: handled or expired. */
    private final List<Item<M>> handled = new ArrayList<>();

    private final Set<Item<M>> expired = new HashSet<>();
    private long completedAt;
    private boolean isStarted;
    private @Nullable StoreFailure refusal;

    LeasedWork(Flow<M> flow, Poll<M> poll, Handling<M> handling, HeldLeases leases, long mark) {
        this.flow = flow;
        this.poll = poll;
        this.handling = handling;
        this.leases = leases;
        this.mark = mark;
        this.completedAt = poll.now();
    }

    void handle(List<Item<M>> granted) {
        try {
            if (handling.isBatch() && !granted.isEmpty()) {
                together(granted);
            } else {
                granted.forEach(item -> together(List.of(item)));
            }
        } finally {
            complete();
        }
        if (refusal != null) {
            throw refusal;
        }
    }

    private void together(List<Item<M>> some) {
        List<Item<M>> items = new ArrayList<>();
        List<Claim> claims = new ArrayList<>();
        for (Item<M> item : poll.open(some)) {
            Claim lease = leases.lease(item.delivery());
            if (!poll.isOpen(item)) {
                continue;
            }
            if (lease == null || (isStarted && poll.isOutOfTime())) {
                poll.stop(item, Duration.ZERO, Optional.empty());
            } else if (flow.expiries().isExpired(item)) {
                expired.add(item);
                handled.add(item);
            } else if (!isExhausted(item, lease) && !isHeldBack(item) && poll.isOpen(item)) {
                items.add(item);
                claims.add(lease);
            }
        }
        if (items.isEmpty()) {
            return;
        }
        isStarted = true;
        try {
            handling.handle(poll, items, claims);
        } catch (HandlerFailure e) {
            complete();
            failed(items, claims, e);
            return;
        } catch (VirtualMachineError e) {
            if (items.size() == 1) {
                leases.started(items.get(0).delivery());
            }
            throw e;
        }
        handled.addAll(items);
        if (poll.now() - completedAt > COMPLETE_EVERY_NANOS) {
            complete();
        }
    }

    /**
     * Charges a message whose earlier handlers, elsewhere or before a crash, did not complete, if the policy allows no further one.
     * Returns whether it did.
     */
    private boolean isExhausted(Item<M> item, Claim lease) {
        if (lease.starts() == 0
                || flow.lanes().hasFailed(item.lane(), item.delivery().id())) {
            return false;
        }
        Throwable failure =
                new IdempotencyException("The handler of " + item.delivery() + " was started " + lease.starts()
                        + " times and did not complete: it failed, its process died, or it outlived its lease");
        if (!flow.charging().policy().isEnough(item.delivery(), lease.starts(), failure)) {
            return false;
        }
        complete();
        charge(item, lease, lease.starts(), failure);
        return true;
    }

    private boolean isHeldBack(Item<M> item) {
        if (flow.keyOrder().isEmpty() || !flow.keyOrder().get().isSuspect(item)) {
            return false;
        }
        try {
            return new LeasedFollower<>(flow, poll, leases, item).isHeldBack();
        } catch (StoreFailure e) {
            refused(List.of(item), e);
            return true;
        }
    }

    private void failed(List<Item<M>> items, List<Claim> claims, HandlerFailure handler) {
        Throwable failure = handler.thrown();
        if (flow.transients().isTransient(failure)) {
            flow.transients().stop(poll, items, failure);
        } else if (items.size() == 1) {
            leases.started(items.get(0).delivery());
            charge(items.get(0), claims.get(0), claims.get(0).starts() + 1, failure);
        } else {
            if (poll.isOutOfTime()) {
                Poll.firstOfEachLane(items).forEach(item -> flow.lanes().outOfTime(item.lane(), items.size()));
            }
            leave(items, claims, handler);
        }
    }

    /** Leaves a batch, whose handler may have changed its messages, until they are delivered again. */
    private void leave(List<Item<M>> items, List<Claim> claims, HandlerFailure handler) {
        int at = handler.at();
        if (at == HandlerFailure.SOMEWHERE) {
            flow.suspects().failedTogether(items);
        } else {
            handled.addAll(items.subList(0, at));
            complete();
            leases.started(items.get(at).delivery());
            charge(items.get(at), claims.get(at), claims.get(at).starts() + 1, handler.thrown());
        }
        flow.leave(poll, poll.open(items), items.size(), handler.thrown());
    }

    private void charge(Item<M> item, Claim lease, int attempts, Throwable failure) {
        Claim taken = leases.take(item.delivery());
        flow.charge(poll, item, failure, taken == null ? lease : taken, attempts);
        if (item.outcome() == null && taken != null) {
            leases.putBack(taken);
        }
    }

    /** Keeps the refusal for the end of the call: thrown now, it would have handled messages run again, and later failures not charged. */
    private void refused(List<Item<M>> done, StoreFailure failure) {
        refusal = refusal == null ? failure : refusal;
        for (Item<M> item : Poll.firstOfEachLane(done)) {
            poll.stop(item, IdempotentConsumer.STAND_STILL, Optional.of(failure));
            flow.reports().refused(item, failure);
            refusal.stopped().add(item);
        }
    }

    private List<Delivery> deliveries(List<Item<M>> some, Predicate<Item<M>> which) {
        return some.stream().filter(which).map(Item::delivery).toList();
    }

    private void complete() {
        List<Item<M>> done = List.copyOf(handled);
        handled.clear();
        completedAt = poll.now();
        if (done.isEmpty()) {
            return;
        }
        Set<Delivery> lost = new HashSet<>();
        try {
            lost.addAll(leases.complete(deliveries(done, item -> !expired.contains(item))));
            lost.addAll(leases.expire(deliveries(done, expired::contains)));
        } catch (RuntimeException e) {
            if (flow.transients().isTransient(e)) {
                flow.transients().stop(poll, done, e);
            } else {
                refused(done, StoreFailure.of(done, e));
            }
            return;
        }
        for (Item<M> item : done) {
            if (lost.contains(item.delivery())) {
                poll.stop(item, Duration.ZERO, Optional.empty());
            } else {
                Outcome outcome = expired.contains(item) ? Outcome.EXPIRED : Outcome.PROCESSED;
                item.outcome(outcome);
                flow.settled(item, outcome, Optional.empty(), mark);
            }
        }
    }
}
