package io.idempotency;

import io.idempotency.store.ClaimStore;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.TransactionRunner;
import io.idempotency.store.TransientStoreException;
import java.util.List;
import java.util.Optional;

/**
 * Claims and handles messages in one transaction. Each transaction is a {@link StrongAttempt}, which ends in one of these ways:
 *
 * <pre>
 *   claim ───────▶ handle ───────▶ commit ──────▶ COMMITTED            settle, cache, report
 *     │ │            │ │             │ │
 *     │ └────────────┼─┴─────────────┼─┴────────▶ TRANSIENT            wait, then take smaller chunks
 *     ├──────────────┼───────────────┼──────────▶ BLOCKED              wait for the owners of the leases
 *     ├──────────────┼───────────────┼──────────▶ LEARNED              run again, with the bytes of messages that stand behind others, or with fewer
 *     └──────────────┼───────────────┼──────────▶ REFUSED              let the partitions stand still
 *                    ├───────────────┼──────────▶ OUT_OF_TIME          take smaller chunks
 *                    ├───────────────┼──────────▶ FAILED_ALONE         charge the message
 *                    ├───────────────┴──────────▶ FAILED_TOGETHER      leave the messages, find out which one fails
 *                    └─ fails, yet commits ─────▶ COMMITTED_IN_PART    throw: the transaction runner is wrong
 * </pre>
 *
 * <p>A failure after the commit is TRANSIENT, too: the redelivery finds duplicates. A handler may have changed the messages that it was given, so
 * messages that failed together are not handled again in the same call. When they are delivered again, {@link Suspects} says which one runs
 * alone and how many share a transaction.
 */
final class StrongLevel<M> implements Level<M> {

    private final ClaimStore store;
    private final TransactionRunner transactions;
    private final Flow<M> flow;

    StrongLevel(Flow<M> flow) {
        this.store = flow.settings().storage().store();
        this.transactions = flow.settings().storage().transactions();
        this.flow = flow;
    }

    @Override
    public void work(Poll<M> poll, List<Item<M>> items, Handling<M> handling) {
        StrongAttempt<M> attempt = new StrongAttempt<>(flow, poll, items, handling);
        switch (attempt.run()) {
            case COMMITTED -> {
                attempt.settle();
                attempt.report();
                poll.settledTogether();
            }
            case BLOCKED -> attempt.blocked().forEach(item -> flow.inProgress(poll, item));
            case LEARNED -> work(poll, attempt.together(), handling);
            case OUT_OF_TIME ->
                Poll.firstOfEachLane(items).forEach(item -> flow.lanes().outOfTime(item.lane(), attempt.handled()));
            case TRANSIENT -> flow.transients().stop(poll, items, attempt.failure());
            case REFUSED -> throw StoreFailure.of(items, attempt.failure());
            case FAILED_ALONE -> flow.charge(poll, items.get(0), attempt.failure());
            case FAILED_TOGETHER -> attempt.leave();
            case COMMITTED_IN_PART ->
                throw new IdempotencyException(
                        "The transaction runner committed although the work in it failed, so that " + Item.named(items)
                                + " are recorded without all of their effects. Let it roll back for every exception",
                        attempt.failure());
        }
    }

    @Override
    public Optional<Level<M>> joining() {
        return Optional.of(this::join);
    }

    /** Takes part in the transaction of the caller, who also decides on failures. The outcomes hold if that transaction commits. */
    private void join(Poll<M> poll, List<Item<M>> items, Handling<M> handling) {
        StrongAttempt<M> attempt = new StrongAttempt<>(flow, poll, items, handling);
        flow.expiries().prepare(items);
        try {
            transactions.inTransaction(() -> {
                attempt.claimAndHandle();
                store.transactions().afterCommit(attempt::report);
            });
        } catch (StrongAttempt.Blocked e) {
            throw new TransientStoreException(
                    "Another owner holds a lease on " + attempt.blocked().get(0).delivery()
                            + ": roll back, and deliver it again later",
                    e);
        } catch (HandlerFailure e) {
            throw Sneaky.unchecked(e.thrown());
        }
        attempt.settle();
    }
}
