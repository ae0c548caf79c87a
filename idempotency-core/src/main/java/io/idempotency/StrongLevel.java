package io.idempotency;

import io.idempotency.store.Claim;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.TransactionLostException;
import io.idempotency.store.TransactionRunner;
import io.idempotency.store.TransientStoreException;
import java.util.ArrayList;
import java.util.List;

/**
 * Claim and effect in one transaction.
 *
 * <ol>
 *   <li>One transaction: claim all messages in one round trip, handle the granted ones in order, commit.
 *   <li>A transient failure rolls back; the partitions wait, then a chunk half as large is run.
 *   <li>A failure at message <i>k</i>: roll back, claim again, run the messages before <i>k</i> in one transaction, then <i>k</i>
 *       alone. A failure that cannot be told from others (of a batch handler, or of the commit): bisect.
 *   <li>Only a message that failed alone, in its own transaction, is charged.
 *   <li>After the commit, and only if the store confirms it: remember the duplicates, report.
 * </ol>
 */
final class StrongLevel<M> implements Level<M> {

    private final ClaimStore store;
    private final TransactionRunner transactions;
    private final Flow<M> flow;

    StrongLevel(Flow<M> flow) {
        Settings<M> settings = flow.settings();
        this.store = settings.store();
        this.transactions = settings.transactions();
        this.flow = flow;
    }

    @Override
    public void work(Poll<M> poll, List<Item<M>> items, Handling<M> handling) {
        Attempt attempt = new Attempt(poll, items, handling);
        try {
            attempt.prepare();
            transactions.inTransaction(attempt::run);
            attempt.requireCommit();
        } catch (RuntimeException | Error e) {
            afterFailure(poll, attempt, e);
            return;
        }
        attempt.settle();
        poll.settledTogether();
    }

    /** Takes part in the transaction of the caller, who also decides on failures; outcomes hold if it commits. */
    void join(Poll<M> poll, List<Item<M>> items, Handling<M> handling) {
        Attempt attempt = new Attempt(poll, items, handling);
        try {
            transactions.inTransaction(() -> {
                attempt.run();
                store.transactions().afterCommit(() -> attempt.report());
            });
        } catch (Blocked e) {
            throw new TransientStoreException(
                    "Another owner holds a lease on " + e.items.get(0).delivery()
                            + ": roll back, and deliver it again later",
                    e);
        } catch (HandlerFailure e) {
            throw Sneaky.unchecked(e.thrown());
        }
        attempt.close();
    }

    private void afterFailure(Poll<M> poll, Attempt attempt, Throwable thrown) {
        List<Item<M>> items = attempt.items;
        Causes.letFatalLeave(thrown);
        if (attempt.isCommitted && attempt.stopper != null) {
            throw new IdempotencyException(
                    "The transaction runner committed although the work in it failed, so that " + Failures.named(items)
                            + " are recorded without all of their effects. Let it roll back for every exception",
                    thrown);
        }
        if (attempt.stopper instanceof Blocked blocked) {
            blocked.<M>items().forEach(item -> flow.inProgress(poll, item));
        } else if (attempt.stopper instanceof OutOfTime late) {
            Poll.firstOfEachLane(items).forEach(item -> flow.lanes().outOfTime(item.lane(), late.handled()));
        } else {
            HandlerFailure handler = attempt.stopper instanceof HandlerFailure failure ? failure : null;
            Throwable failure = handler != null ? handler.thrown() : attempt.stopper != null ? attempt.stopper : thrown;
            if (attempt.isCommitted
                    || flow.failures().isTransient(failure)
                    || flow.failures().isTransient(thrown)) {
                // What failed after the commit says nothing about a message: the redelivery finds duplicates.
                flow.failures().stopTransiently(poll, items, failure);
            } else if (!attempt.isHandled && handler == null) {
                throw flow.failures().storeFailure(items, failure);
            } else if (items.size() == 1) {
                flow.charge(poll, items.get(0), failure);
            } else {
                apart(poll, attempt, handler == null ? HandlerFailure.SOMEWHERE : attempt.indexOf(handler));
            }
        }
    }

    /**
     * Runs the messages again in smaller transactions. Stops as soon as an earlier one stays open, for order's sake, or the
     * time is over.
     */
    private void apart(Poll<M> poll, Attempt attempt, int at) {
        List<Item<M>> items = attempt.items;
        poll.failedTogether(items.size());
        int split = at > 0 ? at : at == 0 ? 1 : items.size() / 2;
        int end = at > 0 ? at + 1 : at == 0 ? 1 : items.size();
        List<Item<M>> before = items.subList(0, split);
        work(poll, before, attempt.handling);
        List<Item<M>> rest = poll.open(items.subList(split, end));
        if (poll.open(before).isEmpty() && !rest.isEmpty() && !poll.isOutOfTime()) {
            work(poll, rest, attempt.handling);
        }
    }

    /** Some messages are leased to somebody else. */
    private static final class Blocked extends RuntimeException {

        private static final long serialVersionUID = 1L;

        private final transient List<? extends Item<?>> items;

        Blocked(List<? extends Item<?>> items) {
            super("Leased to somebody else", null, false, false);
            this.items = items;
        }

        @SuppressWarnings("unchecked")
        <T> List<Item<T>> items() {
            return (List<Item<T>>) items;
        }
    }

    /** One transaction. */
    private final class Attempt {

        private final Poll<M> poll;
        private final List<Item<M>> items;
        private final List<Item<M>> granted = new ArrayList<>();
        private final Handling<M> handling;
        private final long mark = flow.known().mark();
        private List<Claim> claims = List.of();
        private boolean isHandled;
        private boolean isCommitted;
        private @org.jspecify.annotations.Nullable RuntimeException stopper;

        Attempt(Poll<M> poll, List<Item<M>> items, Handling<M> handling) {
            this.poll = poll;
            this.items = items;
            this.handling = handling;
        }

        void prepare() {
            store.prepare(deliveries());
        }

        private List<Delivery> deliveries() {
            return items.stream().map(Item::delivery).toList();
        }

        void run() {
            granted.clear();
            stopper = null;
            try {
                claims = store.claim(deliveries());
                store.transactions().afterCommit(() -> isCommitted = true);
                handle();
            } catch (RuntimeException e) {
                // A rollback that fails, too, would hide it.
                stopper = e;
                throw e;
            }
        }

        private void handle() {
            List<Item<M>> blocked = new ArrayList<>();
            List<Claim> grants = new ArrayList<>();
            for (int i = 0; i < items.size(); i++) {
                Claim claim = claims.get(i);
                switch (claim.status()) {
                    case GRANTED -> {
                        granted.add(items.get(i));
                        grants.add(claim);
                    }
                    case IN_PROGRESS -> blocked.add(items.get(i));
                    case DUPLICATE, QUARANTINED -> {}
                }
            }
            if (!blocked.isEmpty()) {
                throw new Blocked(blocked);
            }
            if (!granted.isEmpty()) {
                handling.handle(poll, granted, grants);
                isHandled = true;
            }
        }

        /** Returns where the message that failed stands among all, duplicates included. */
        int indexOf(HandlerFailure failure) {
            return failure.at() == HandlerFailure.SOMEWHERE
                    ? HandlerFailure.SOMEWHERE
                    : items.indexOf(granted.get(failure.at()));
        }

        void requireCommit() {
            if (stopper != null) {
                throw stopper;
            }
            if (!isCommitted) {
                throw new TransactionLostException("The transaction of " + Failures.named(items)
                        + " returned without a commit: it was set to roll back,"
                        + " or the transaction runner does not run transactions on the store's data source");
            }
        }

        /** Closes the messages after the commit. */
        void settle() {
            close();
            report();
        }

        void close() {
            for (int i = 0; i < items.size(); i++) {
                items.get(i).outcome(Flow.outcome(claims.get(i)));
            }
        }

        void report() {
            for (int i = 0; i < items.size(); i++) {
                Claim claim = claims.get(i);
                flow.settled(items.get(i), Flow.outcome(claim), Reports.duplicate(claim), mark);
            }
        }
    }
}
