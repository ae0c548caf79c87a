package io.idempotency;

import io.idempotency.store.Claim;
import io.idempotency.store.MessageId;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

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
            new LeasedWork<>(flow, poll, handling, leases, mark).handle(granted.subList(0, together));
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
}
