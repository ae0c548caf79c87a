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
import java.util.Optional;

/**
 * Claim and effect in one transaction.
 *
 * <ol>
 *   <li>One transaction: claim all messages in one round trip, handle the granted ones in order, commit.
 *   <li>A transient failure rolls back; the partitions wait, then a chunk half as large is run.
 *   <li>A failure among several: roll back, and leave the partitions of all messages that the handler was given, for it may have changed
 *       them. When they are delivered again, {@link Suspects} says which is alone and how many are together.
 *   <li>Only a message that failed alone, in its own transaction, or that its batch handler named, is charged.
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

    @Override
    public Optional<Level<M>> joining() {
        return Optional.of(this::join);
    }

    /** Takes part in the transaction of the caller, who also decides on failures; outcomes hold if it commits. */
    private void join(Poll<M> poll, List<Item<M>> items, Handling<M> handling) {
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
                    "The transaction runner committed although the work in it failed, so that " + Item.named(items)
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
            if (attempt.isCommittedEarly) {
                failure.addSuppressed(
                        new IdempotencyException(
                                "The handler ended its transaction itself before it failed: part of what it wrote may be committed"));
            }
            if (attempt.isCommitted
                    || flow.transients().isTransient(failure)
                    || flow.transients().isTransient(thrown)) {
                // What failed after the commit says nothing about a message: the redelivery finds duplicates.
                flow.transients().stop(poll, items, failure);
            } else if (!attempt.isHandled && handler == null) {
                throw StoreFailure.of(items, failure);
            } else if (items.size() == 1) {
                flow.charge(poll, items.get(0), failure);
            } else {
                attempt.leave(failure, handler == null ? HandlerFailure.SOMEWHERE : handler.at());
            }
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
        private boolean isHandedOver;
        private boolean isHandled;
        private boolean isCommitted;
        private boolean isCommittedEarly;
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
            if (isHandedOver) {
                throw stopper != null
                        ? stopper
                        : new TransientStoreException("The transaction runner ran its work again. "
                                + Item.named(items) + " are to be delivered again instead, for a handler may have"
                                + " changed them");
            }
            granted.clear();
            stopper = null;
            try {
                claims = store.claim(deliveries());
                store.transactions().afterCommit(() -> isCommitted = true);
                store.transactions().ifCommittedEarly(this::committedEarly);
                handle();
            } catch (RuntimeException e) {
                // A rollback that fails, too, would hide it.
                stopper = e;
                throw e;
            }
        }

        private void committedEarly() {
            isCommittedEarly = true;
            flow.reports().committedEarly(items.get(0));
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
                isHandedOver = true;
                handling.handle(poll, granted, grants);
                isHandled = true;
            }
        }

        /** Leaves what was handled, until it is delivered again; what was only claimed goes on. */
        void leave(Throwable failure, int at) {
            List<Item<M>> handed = granted;
            if (at == HandlerFailure.SOMEWHERE && isCommittedEarly) {
                flow.suspects().committedTogether(granted);
            } else if (at == HandlerFailure.SOMEWHERE) {
                flow.suspects().failedTogether(granted);
            } else if (handling.isBatch()) {
                flow.suspects().named(granted.get(at), failure);
            } else {
                handed = granted.subList(0, at + 1);
                flow.suspects().failedAmong(granted.get(at), items.size());
            }
            flow.leave(poll, handed, items.size(), failure);
        }

        void requireCommit() {
            if (stopper != null) {
                throw stopper;
            }
            if (!isCommitted) {
                throw new TransactionLostException("The transaction of " + Item.named(items)
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
