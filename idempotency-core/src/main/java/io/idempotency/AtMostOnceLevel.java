package io.idempotency;

import io.idempotency.store.Claim;
import java.util.List;
import java.util.Optional;

/**
 * Commits the claim before the handler runs, one message at a time, so that a crash loses one effect and not those of a whole poll. A message
 * whose handler fails is recorded as failed and never handled again, whatever the handler threw. After several in a row with the same failure, the next one
 * is not claimed: its partition stands still, and tries one message after each pause.
 */
final class AtMostOnceLevel<M> implements Level<M> {

    private final CommittedClaims claims;
    private final Flow<M> flow;

    AtMostOnceLevel(Flow<M> flow) {
        this.claims = new CommittedClaims(flow.settings().storage());
        this.flow = flow;
    }

    @Override
    public void work(Poll<M> poll, List<Item<M>> items, Handling<M> handling) {
        for (Item<M> item : items) {
            boolean isFirst = item == items.get(0);
            if (poll.isOpen(item) && (isFirst || !poll.isOutOfTime()) && !flow.pauses(poll, item)) {
                one(poll, item, handling);
                flow.advance(item);
            }
            if (flow.keyOrder().isPresent() && item.isResendDeferred()) {
                // Its comparison may block a key.
                return;
            }
        }
    }

    private void one(Poll<M> poll, Item<M> item, Handling<M> handling) {
        long mark = flow.known().mark();
        Optional<HeldBack<M>> heldBack = flow.keyOrder().map(order -> new HeldBack<>(order, List.of(item)));
        Claimed claimed;
        try {
            claimed = claim(item, heldBack);
        } catch (RuntimeException e) {
            if (!flow.transients().isTransient(e)) {
                throw StoreFailure.of(List.of(item), e);
            }
            flow.transients().stop(poll, List.of(item), e);
            return;
        }
        Claim claim = claimed.claim();
        if (claim.status() == Claim.Status.IN_PROGRESS) {
            flow.inProgress(poll, item);
            return;
        }
        if (heldBack.isPresent() && heldBack.get().report(flow, item)) {
            item.outcome(Outcome.QUARANTINED);
            return;
        }
        if (claimed.isExpired()) {
            item.outcome(Outcome.EXPIRED);
            flow.settled(item, Outcome.EXPIRED, Optional.empty(), mark);
            return;
        }
        if (claim.isGranted()) {
            try {
                handling.handle(poll, List.of(item), List.of(claim));
            } catch (HandlerFailure e) {
                flow.recordFailed(item, claim, e.thrown());
                return;
            }
        }
        item.outcome(Flow.outcome(claim));
        flow.settled(item, Flow.outcome(claim), Reports.duplicate(claim), mark);
    }

    private record Claimed(Claim claim, boolean isExpired) {}

    private Claimed claim(Item<M> item, Optional<HeldBack<M>> heldBack) {
        heldBack.ifPresent(HeldBack::prepare);
        flow.expiries().prepare(List.of(item));
        boolean[] isExpired = new boolean[1];
        Claim claim = claims.of(List.of(item.delivery()), granted -> {
                    List<Claim> kept = heldBack.isPresent() ? heldBack.get().holdBack(granted) : granted;
                    isExpired[0] = kept.get(0).isGranted() && flow.expiries().isExpired(item);
                    if (isExpired[0]) {
                        flow.settings().storage().store().expire(kept);
                    }
                    return kept;
                })
                .get(0);
        heldBack.ifPresent(HeldBack::committed);
        return new Claimed(claim, isExpired[0]);
    }
}
