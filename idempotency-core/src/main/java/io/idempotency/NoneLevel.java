package io.idempotency;

import io.idempotency.store.Claim;
import java.util.List;
import java.util.Optional;

/** Calls the handler for every delivery. Nothing is remembered, so a redelivery is handled again. */
final class NoneLevel<M> implements Level<M> {

    private final Flow<M> flow;

    NoneLevel(Flow<M> flow) {
        this.flow = flow;
    }

    @Override
    public void work(Poll<M> poll, List<Item<M>> items, Handling<M> handling) {
        if (handling.isBatch()) {
            together(poll, items, handling);
            return;
        }
        for (Item<M> item : items) {
            boolean isFirst = item == items.get(0);
            if (poll.isOpen(item) && (isFirst || !poll.isOutOfTime())) {
                handle(poll, List.of(item), List.of(Claim.granted(item.delivery())), handling);
            }
        }
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
            if (flow.failures().isTransient(e.thrown())) {
                flow.failures().stopTransiently(poll, items, e.thrown());
            } else if (items.size() == 1) {
                flow.charge(poll, items.get(0), e.thrown());
            } else {
                together(poll, items.subList(0, items.size() / 2), handling);
                List<Item<M>> rest = poll.open(items.subList(items.size() / 2, items.size()));
                if (!rest.isEmpty() && !poll.isOutOfTime()) {
                    together(poll, rest, handling);
                }
            }
            return;
        }
        for (Item<M> item : items) {
            item.outcome(Outcome.PROCESSED);
            flow.lanes().processed(item.lane(), item.delivery().id());
            flow.reports().settled(item, Outcome.PROCESSED, 0, Optional.empty());
        }
    }
}
