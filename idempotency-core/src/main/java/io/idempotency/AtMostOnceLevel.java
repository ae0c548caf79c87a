package io.idempotency;

import io.idempotency.store.Claim;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.TransactionLostException;
import io.idempotency.store.TransactionRunner;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Commits the claim before the handler runs, one message at a time, so that a crash loses one effect and not those of a whole poll. A message
 * whose handler fails is recorded as failed and never handled again, whatever the handler threw.
 */
final class AtMostOnceLevel<M> implements Level<M> {

    private final ClaimStore store;
    private final TransactionRunner transactions;
    private final Flow<M> flow;

    AtMostOnceLevel(Flow<M> flow) {
        this.store = flow.settings().storage().store();
        this.transactions = flow.settings().storage().transactions();
        this.flow = flow;
    }

    @Override
    public void work(Poll<M> poll, List<Item<M>> items, Handling<M> handling) {
        for (Item<M> item : items) {
            boolean isFirst = item == items.get(0);
            if (poll.isOpen(item) && (isFirst || !poll.isOutOfTime())) {
                one(poll, item, handling);
                flow.noteSettled(item);
            }
        }
    }

    private void one(Poll<M> poll, Item<M> item, Handling<M> handling) {
        long mark = flow.known().mark();
        Optional<HeldBack<M>> heldBack = flow.keyOrder().map(order -> new HeldBack<>(order, List.of(item)));
        Claim claim;
        try {
            claim = claim(item, heldBack);
        } catch (RuntimeException e) {
            if (!flow.transients().isTransient(e)) {
                throw StoreFailure.of(List.of(item), e);
            }
            flow.transients().stop(poll, List.of(item), e);
            return;
        }
        if (claim.status() == Claim.Status.IN_PROGRESS) {
            flow.inProgress(poll, item);
            return;
        }
        if (heldBack.isPresent() && heldBack.get().report(flow, item)) {
            item.outcome(Outcome.QUARANTINED);
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

    private Claim claim(Item<M> item, Optional<HeldBack<M>> heldBack) {
        List<Claim> answer = new ArrayList<>();
        boolean[] committed = new boolean[1];
        heldBack.ifPresent(HeldBack::prepare);
        store.prepare(List.of(item.delivery()));
        transactions.inTransaction(() -> {
            // A runner may run its work again: only what the last run was told holds.
            answer.clear();
            List<Claim> claims = store.claim(List.of(item.delivery()));
            answer.addAll(heldBack.isPresent() ? heldBack.get().holdBack(claims) : claims);
            store.transactions().afterCommit(() -> committed[0] = true);
        });
        if (!committed[0]) {
            throw new TransactionLostException(
                    "The transaction that claims " + item.delivery() + " returned without a commit");
        }
        heldBack.ifPresent(HeldBack::committed);
        return answer.get(0);
    }
}
