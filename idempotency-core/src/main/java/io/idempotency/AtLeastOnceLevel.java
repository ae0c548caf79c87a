package io.idempotency;

import io.idempotency.store.Claim;
import io.idempotency.store.MessageId;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Leases messages, handles them without a transaction, and completes their leases.
 *
 * <ol>
 *   <li>Lease the messages in one round trip. In each partition, a lease of another owner keeps back its message and all behind it.
 *   <li>Before a handler starts: quarantine its message instead, if as many handlers as the policy allows were started and did not complete. A
 *       message that may have killed its process starts while nothing else is leased here, so that it takes no other message with it.
 *   <li>Handle the messages in order. Complete handled ones every few milliseconds, and at the end.
 *   <li>A handler that fails stops its partition: its message is charged, and the messages behind it are released as not started. A batch
 *       that fails stops the partitions of all its messages: the message that its handler names is charged; without a name, smaller batches
 *       are delivered again.
 *   <li>Release what is not completed at the end. After a crash it waits for the end of its lease.
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
            flow.keyOrder().ifPresent(order -> order.read(items));
            flow.expiries().prepare(items);
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
                flow.noteBlocked(items.get(i), claim);
                items.get(i).outcome(Flow.outcome(claim));
                flow.settled(items.get(i), Flow.outcome(claim), Reports.duplicate(claim), mark);
            }
        }
        try (HeldLeases leases = new HeldLeases(keeper, grants)) {
            int together = Math.min(startedTogether(grants), beforeResends(items, claims));
            leases.release(grants.subList(together, grants.size()));
            new LeasedWork<>(flow, poll, handling, leases, mark).handle(granted.subList(0, together));
        }
        waitForOthers(poll, items, claims, granted);
    }

    /** Returns how many messages start together: those before the first one whose earlier handler did not complete, which starts alone. */
    private static int startedTogether(List<Claim> grants) {
        int innocent = 0;
        while (innocent < grants.size() && grants.get(innocent).starts() == 0) {
            innocent++;
        }
        return innocent == 0 ? Math.min(1, grants.size()) : innocent;
    }

    /** Returns how many grants come before the first one whose key may be blocked as soon as a re-send before it is compared. */
    private int beforeResends(List<Item<M>> items, List<Claim> claims) {
        int before = flow.keyOrder().map(order -> order.together(items, claims)).orElse(items.size());
        return (int) claims.stream().limit(before).filter(Claim::isGranted).count();
    }

    /** Stops partitions whose first message another owner holds. A partition that had grants, or waits for a copy in this call, goes on. */
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
