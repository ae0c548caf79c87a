package io.idempotency;

import io.idempotency.store.ClaimStore;
import io.idempotency.store.TransactionLostException;
import java.util.List;
import java.util.Optional;

/** Stops partitions for a while after failures that say nothing about their messages, which are not charged. Thread-safe. */
final class TransientStops {

    private final ClaimStore store;
    private final Lanes lanes;
    private final Reports reports;

    TransientStops(ClaimStore store, Lanes lanes, Reports reports) {
        this.store = store;
        this.lanes = lanes;
        this.reports = reports;
    }

    /** Returns whether the failure says nothing about the message. Every failure of an interrupted thread counts as such. */
    boolean isTransient(Throwable failure) {
        return isPassing(failure)
                || Causes.isInterruption(failure)
                || Thread.currentThread().isInterrupted();
    }

    private boolean isPassing(Throwable failure) {
        try {
            return store.transactions().isTransient(failure);
        } catch (Throwable broken) {
            Causes.letFatalLeave(broken);
            return false;
        }
    }

    /**
     * Returns whether the failure may be transient: a handler caught an error after which the database had rolled back, for example a
     * deadlock or a lock timeout. Nobody can tell, so only a failure that goes on for long is charged.
     */
    boolean isDoubtful(Item<?> item, Throwable failure) {
        return lanes.transientsInARow(item.lane()) < Consumption.MANY_TRANSIENT_FAILURES
                && Causes.of(failure).stream()
                        .anyMatch(cause -> cause instanceof TransactionLostException lost && lost.isRolledBack());
    }

    /** Stops the partitions of the items. No attempt is counted, and the work runs again in smaller chunks. */
    <T> void stop(Poll<T> poll, List<Item<T>> items, Throwable failure) {
        poll.noteInterruption(failure);
        for (Item<T> item : Poll.firstOfEachLane(items)) {
            Lanes.Passing passing = lanes.transientFailure(item.lane(), items.size());
            poll.stop(item, passing.pause(), Optional.of(failure));
            reports.transientlyFailed(item, passing, failure);
        }
    }
}
