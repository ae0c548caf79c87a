package io.idempotency;

import io.idempotency.store.Claim;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.TransactionLostException;
import io.idempotency.store.TransientStoreException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One transaction of {@link StrongLevel}: claims messages, handles the granted ones, and tells how it ended. Confined to the consuming thread. */
final class StrongAttempt<M> {

    /** How a transaction ended; {@link StrongLevel} draws them. */
    enum Ending {
        /** The store confirmed the commit. */
        COMMITTED,
        /** The work failed, and was committed all the same. */
        COMMITTED_IN_PART,
        /** Other owners hold leases on {@link #blocked}. */
        BLOCKED,
        /** The chunk took too long after {@link #handled} messages. */
        OUT_OF_TIME,
        /** The failure says nothing about a message. */
        TRANSIENT,
        /** A key turned out to be blocked, or may be soon, before a handler ran. Only {@link #together} run again. */
        LEARNED,
        /** The store failed before a handler did. */
        REFUSED,
        /** The only message failed. */
        FAILED_ALONE,
        /** One of several messages failed. */
        FAILED_TOGETHER
    }

    /** Rolls back, because other owners hold leases. */
    static final class Blocked extends RuntimeException {

        private static final long serialVersionUID = 1L;

        private Blocked() {
            super("Leased to another owner", null, false, false);
        }
    }

    private final Flow<M> flow;
    private final ClaimStore store;
    private final Poll<M> poll;
    private final List<Item<M>> items;
    private final List<Delivery> deliveries;
    private final Handling<M> handling;
    private final long mark;
    private final Optional<HeldBack<M>> heldBack;
    private final boolean isExpiring;
    private final List<Item<M>> blocked = new ArrayList<>();
    /** Items have no equality of their own. */
    private final Set<Item<M>> expired = new HashSet<>();

    private List<Item<M>> granted = List.of();
    private List<Claim> claims = List.of();
    private boolean isAllGranted;
    private boolean isHandedOver;
    private boolean isHandled;
    private boolean isCommitted;
    private boolean isCommittedEarly;
    private int handled;
    private int failedAt = HandlerFailure.SOMEWHERE;
    private @Nullable RuntimeException stopper;
    private @Nullable Throwable failure;

    StrongAttempt(Flow<M> flow, Poll<M> poll, List<Item<M>> items, Handling<M> handling) {
        this.flow = flow;
        this.store = flow.settings().storage().store();
        this.poll = poll;
        this.items = items;
        this.deliveries = new ArrayList<>(items.size());
        boolean mayExpire = false;
        for (Item<M> item : items) {
            deliveries.add(item.delivery());
            mayExpire |= item.expiry().isPresent();
        }
        this.isExpiring = mayExpire;
        this.handling = handling;
        this.mark = flow.known().mark();
        this.heldBack = flow.keyOrder().map(order -> new HeldBack<>(order, items));
    }

    /** Runs a transaction of its own. Errors of the virtual machine leave. */
    Ending run() {
        try {
            heldBack.ifPresent(HeldBack::prepare);
            store.prepare(deliveries);
            if (isExpiring) {
                flow.expiries().ask();
            }
            flow.settings().storage().transactions().inTransaction(this::claimAndHandle);
            requireCommit();
            return Ending.COMMITTED;
        } catch (RuntimeException | Error thrown) {
            Causes.letFatalLeave(thrown);
            return endingOf(thrown);
        }
    }

    private void requireCommit() {
        if (stopper != null) {
            throw stopper;
        }
        if (!isCommitted) {
            throw new TransactionLostException("The transaction of " + Item.named(items)
                    + " returned without a commit: it was set to roll back,"
                    + " or the transaction runner does not run transactions on the store's data source");
        }
    }

    private Ending endingOf(Throwable thrown) {
        RuntimeException first = stopper;
        failure = thrown;
        if (isCommitted && first != null) {
            return Ending.COMMITTED_IN_PART;
        } else if (first instanceof Blocked) {
            return Ending.BLOCKED;
        } else if (first instanceof HeldBack.Learned) {
            return Ending.LEARNED;
        } else if (first instanceof OutOfTime late) {
            handled = late.handled();
            return Ending.OUT_OF_TIME;
        }
        HandlerFailure handler = first instanceof HandlerFailure ofHandler ? ofHandler : null;
        Throwable cause = handler != null ? handler.thrown() : first != null ? first : thrown;
        failure = cause;
        failedAt = handler == null ? HandlerFailure.SOMEWHERE : handler.at();
        if (isCommittedEarly) {
            cause.addSuppressed(
                    new IdempotencyException(
                            "The handler ended its transaction itself before it failed: part of what it wrote may be committed"));
        }
        if (isCommitted
                || flow.transients().isTransient(cause)
                || flow.transients().isTransient(thrown)) {
            // What failed after the commit says nothing about a message: the redelivery finds duplicates.
            return Ending.TRANSIENT;
        } else if (!isHandled && handler == null) {
            return Ending.REFUSED;
        }
        return items.size() == 1 ? Ending.FAILED_ALONE : Ending.FAILED_TOGETHER;
    }

    /** Claims the messages and handles the granted ones, inside the active transaction. */
    void claimAndHandle() {
        if (isHandedOver) {
            throw stopper != null
                    ? stopper
                    : new TransientStoreException("The transaction runner ran its work again. " + Item.named(items)
                            + " are to be delivered again instead, because a handler may have changed them");
        }
        granted = List.of();
        blocked.clear();
        expired.clear();
        stopper = null;
        try {
            claims = store.claim(deliveries);
            store.transactions().afterCommit(() -> isCommitted = true);
            store.transactions().ifCommittedEarly(this::committedEarly);
            holdBack();
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

    private void holdBack() {
        if (heldBack.isPresent() && claims.stream().noneMatch(claim -> claim.status() == Claim.Status.IN_PROGRESS)) {
            claims = heldBack.get().holdBack(claims);
        }
    }

    private void handle() {
        isAllGranted = !isExpiring && claims.size() == items.size() && Claim.areGranted(claims);
        if (isAllGranted) {
            handOver(items, claims);
            return;
        }
        List<Item<M>> some = new ArrayList<>(items.size());
        List<Claim> grants = new ArrayList<>(items.size());
        List<Claim> late = new ArrayList<>();
        for (int i = 0; i < items.size(); i++) {
            Claim claim = claims.get(i);
            switch (claim.status()) {
                case GRANTED -> {
                    if (flow.expiries().isExpired(items.get(i))) {
                        expired.add(items.get(i));
                        late.add(claim);
                    } else {
                        some.add(items.get(i));
                        grants.add(claim);
                    }
                }
                case IN_PROGRESS -> blocked.add(items.get(i));
                case DUPLICATE, QUARANTINED -> {}
            }
        }
        if (!blocked.isEmpty()) {
            throw new Blocked();
        }
        if (!late.isEmpty()) {
            store.expire(late);
        }
        if (!some.isEmpty()) {
            handOver(some, grants);
        }
    }

    private void handOver(List<Item<M>> some, List<Claim> grants) {
        granted = some;
        isHandedOver = true;
        handling.handle(poll, some, grants);
        isHandled = true;
    }

    /** Returns the messages that other owners hold. */
    List<Item<M>> blocked() {
        return blocked;
    }

    /** Returns the messages that may share a transaction: all, unless the order of keys separates them. */
    List<Item<M>> together() {
        return items.subList(0, heldBack.map(HeldBack::together).orElse(items.size()));
    }

    /** Returns how many messages were handled before the time was over. */
    int handled() {
        return handled;
    }

    /** Returns why the attempt did not commit. */
    Throwable failure() {
        return Objects.requireNonNull(failure);
    }

    /** Leaves the messages that the handler was given until they are delivered again. Messages that were only claimed go on. */
    void leave() {
        List<Item<M>> handed = granted;
        if (failedAt == HandlerFailure.SOMEWHERE && isCommittedEarly) {
            flow.suspects().committedTogether(granted);
        } else if (failedAt == HandlerFailure.SOMEWHERE) {
            flow.suspects().failedTogether(granted);
        } else if (handling.isBatch()) {
            flow.suspects().named(granted.get(failedAt), failure());
        } else {
            handed = granted.subList(0, failedAt + 1);
            flow.suspects().failedAmong(granted.get(failedAt), items.size());
        }
        flow.leave(poll, handed, items.size(), failure());
    }

    /** Closes the messages: each has the outcome that its claim says, or is expired. */
    void settle() {
        for (int i = 0; i < items.size(); i++) {
            items.get(i).outcome(outcome(i));
        }
    }

    private Outcome outcome(int index) {
        if (isAllGranted) {
            return Outcome.PROCESSED;
        }
        return expired.contains(items.get(index)) ? Outcome.EXPIRED : Flow.outcome(claims.get(index));
    }

    /** Caches and reports the outcomes, once they are committed. */
    void report() {
        heldBack.ifPresent(HeldBack::committed);
        if (isAllGranted) {
            flow.processed(items, deliveries, mark);
            return;
        }
        for (int i = 0; i < items.size(); i++) {
            Claim claim = claims.get(i);
            Item<M> item = items.get(i);
            if (heldBack.isPresent() && heldBack.get().report(flow, item)) {
                continue;
            }
            flow.settled(item, outcome(i), Reports.duplicate(claim), mark);
        }
    }
}
