package io.idempotency;

import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A lease, the handler without a transaction, then completion.
 *
 * <ol>
 *   <li>Lease the messages in one round trip; per partition only those before the first one that somebody else holds.
 *   <li>Before a handler starts: if as many as the policy allows have been started and never came back, quarantine instead. A message that
 *       may have killed its process is started while nothing else is leased here, so that it takes none with it.
 *   <li>Handle in order; complete after each record, or every few milliseconds.
 *   <li>A handler that fails stops its partition: its message is charged, the rest is released without having been started. A batch that
 *       fails stops those of all its messages: the one that its handler names is charged, else smaller batches are delivered again.
 *   <li>Whatever is not completed at the end is released; after a crash it waits for the end of its lease.
 * </ol>
 */
final class AtLeastOnceLevel<M> implements Level<M> {

    private static final long COMPLETE_EVERY_NANOS = 5_000_000;

    private final LeaseKeeper keeper;
    private final Flow<M> flow;

    AtLeastOnceLevel(Flow<M> flow, LeaseKeeper keeper) {
        this.keeper = keeper;
        this.flow = flow;
    }

    @Override
    public void work(Poll<M> poll, List<Item<M>> items, Handling<M> handling) {
        long mark = flow.known().mark();
        List<Claim> claims;
        try {
            keeper.endLeftOvers();
            claims = keeper.store().lease(items.stream().map(Item::delivery).toList(), keeper.length());
        } catch (RuntimeException e) {
            if (!flow.transients().isTransient(e)) {
                throw StoreFailure.of(items, e);
            }
            flow.transients().stop(poll, items, e);
            return;
        }
        List<Item<M>> granted = new ArrayList<>();
        List<Claim> grants = new ArrayList<>();
        for (int i = 0; i < items.size(); i++) {
            Claim claim = claims.get(i);
            if (claim.isGranted()) {
                granted.add(items.get(i));
                grants.add(claim);
            } else if (claim.status() != Claim.Status.IN_PROGRESS) {
                items.get(i).outcome(Flow.outcome(claim));
                flow.settled(items.get(i), Flow.outcome(claim), Reports.duplicate(claim), mark);
            }
        }
        try (HeldLeases leases = new HeldLeases(keeper, grants)) {
            int together = startedTogether(grants);
            leases.release(grants.subList(together, grants.size()));
            new Run(poll, handling, leases, mark).handle(granted.subList(0, together));
        }
        waitForOthers(poll, items, claims, granted);
    }

    /** Returns how many are started before the first one that was started before and did not come back; that one is started alone. */
    private static int startedTogether(List<Claim> grants) {
        int innocent = 0;
        while (innocent < grants.size() && grants.get(innocent).starts() == 0) {
            innocent++;
        }
        return innocent == 0 ? Math.min(1, grants.size()) : innocent;
    }

    /** Stops partitions whose first message somebody else holds. One that had grants, or waits for a copy in this call, goes on. */
    private void waitForOthers(Poll<M> poll, List<Item<M>> items, List<Claim> claims, List<Item<M>> granted) {
        Set<Lane> advanced = new HashSet<>();
        Set<MessageId> own = new HashSet<>();
        for (Item<M> item : granted) {
            advanced.add(item.lane());
            own.add(item.delivery().id());
        }
        for (int i = 0; i < items.size(); i++) {
            Item<M> item = items.get(i);
            if (own.contains(item.delivery().id())) {
                advanced.add(item.lane());
            } else if (claims.get(i).status() == Claim.Status.IN_PROGRESS && !advanced.contains(item.lane())) {
                flow.inProgress(poll, item);
            }
        }
    }

    /** The handling of the leases of one call. */
    private final class Run {

        private final Poll<M> poll;
        private final Handling<M> handling;
        private final HeldLeases leases;
        private final long mark;
        private final List<Item<M>> handled = new ArrayList<>();
        private long completedAt;
        private boolean isStarted;
        private @Nullable StoreFailure refusal;

        Run(Poll<M> poll, Handling<M> handling, HeldLeases leases, long mark) {
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
                } else if (!isExhausted(item, lease) && poll.isOpen(item)) {
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
         * Charges a message whose handlers were started elsewhere, or before a crash, and never came back, if the policy has had
         * enough of it.
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

        /** Thrown only at the end of the call: what was handled would be handed over again, and a failure behind it would not be charged. */
        private void refused(List<Item<M>> done, StoreFailure failure) {
            refusal = refusal == null ? failure : refusal;
            for (Item<M> item : Poll.firstOfEachLane(done)) {
                poll.stop(item, IdempotentConsumer.STAND_STILL, Optional.of(failure));
                flow.reports().refused(item, failure);
                refusal.stopped().add(item);
            }
        }

        private void complete() {
            List<Item<M>> done = List.copyOf(handled);
            handled.clear();
            completedAt = poll.now();
            if (done.isEmpty()) {
                return;
            }
            Set<Delivery> lost;
            try {
                lost = new HashSet<>(
                        leases.complete(done.stream().map(Item::delivery).toList()));
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
                    item.outcome(Outcome.PROCESSED);
                    flow.settled(item, Outcome.PROCESSED, Optional.empty(), mark);
                }
            }
        }
    }
}
