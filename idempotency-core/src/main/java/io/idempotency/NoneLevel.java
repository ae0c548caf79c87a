package io.idempotency;

import io.idempotency.store.Claim;
import java.util.List;

/** Calls the handler for every delivery. Nothing is remembered, so a redelivery is handled again. */
final class NoneLevel<M> implements Level<M> {

    private final Flow<M> flow;

    NoneLevel(Flow<M> flow) {
        this.flow = flow;
    }

    @Override
    public void work(Poll<M> poll, List<Item<M>> items, Handling<M> handling) {
        try {
            flow.expiries().prepare(items);
        } catch (RuntimeException e) {
            if (!flow.transients().isTransient(e)) {
                throw StoreFailure.of(items, e);
            }
            flow.transients().stop(poll, items, e);
            return;
        }
        if (handling.isBatch()) {
            List<Item<M>> fresh =
                    items.stream().filter(item -> !isExpired(item)).toList();
            if (!fresh.isEmpty()) {
                together(poll, fresh, handling);
            }
            return;
        }
        for (Item<M> item : items) {
            boolean isFirst = item == items.get(0);
            if (poll.isOpen(item) && (isFirst || !poll.isOutOfTime()) && !isExpired(item)) {
                handle(poll, List.of(item), List.of(Claim.granted(item.delivery())), handling);
            }
        }
    }

    /** Returns whether the message has expired, and settles it then. */
    private boolean isExpired(Item<M> item) {
        if (!flow.expiries().isExpired(item)) {
            return false;
        }
        item.outcome(Outcome.EXPIRED);
        flow.settledUnremembered(item, Outcome.EXPIRED);
        return true;
    }

    private void together(Poll<M> poll, List<Item<M>> items, Handling<M> handling) {
        handle(
                poll,
                items,
                items.stream().map(item -> Claim.granted(item.delivery())).toList(),
                handling);
    }

    private void handle(Poll<M> poll, List<Item<M>> items, List<Claim> claims, Handling<M> handling) {
        try {
            handling.handle(poll, items, claims);
        } catch (HandlerFailure e) {
            if (flow.transients().isTransient(e.thrown())) {
                flow.transients().stop(poll, items, e.thrown());
            } else if (items.size() == 1) {
                flow.charge(poll, items.get(0), e.thrown());
            } else {
                leave(poll, items, e);
            }
            return;
        }
        settle(items);
    }

    /** Leaves a batch, whose handler may have changed its messages, until they are delivered again. */
    private void leave(Poll<M> poll, List<Item<M>> items, HandlerFailure failure) {
        if (failure.at() == HandlerFailure.SOMEWHERE) {
            flow.suspects().failedTogether(items);
        } else {
            settle(items.subList(0, failure.at()));
            flow.charge(poll, items.get(failure.at()), failure.thrown());
        }
        flow.leave(poll, poll.open(items), items.size(), failure.thrown());
    }

    private void settle(List<Item<M>> items) {
        for (Item<M> item : items) {
            item.outcome(Outcome.PROCESSED);
            flow.settledUnremembered(item, Outcome.PROCESSED);
        }
    }
}
