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

    /** Returns whether the failure says nothing about the message, as whatever fails while the thread is to end. */
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
     * Returns whether what a handler caught may have passed by now: the database rolled its transaction back, as it does after a deadlock
     * or a lock timeout. Nobody can tell, so only what goes on for long is charged.
     */
    boolean isDoubtful(Item<?> item, Throwable failure) {
        return lanes.transientsInARow(item.lane()) < Consumption.MANY_TRANSIENT_FAILURES
                && Causes.of(failure).stream()
                        .anyMatch(cause -> cause instanceof TransactionLostException lost && lost.isRolledBack());
    }

    /** Stops the partitions of the items: nothing was done, nothing is counted, the work is run again in smaller chunks. */
    <T> void stop(Poll<T> poll, List<Item<T>> items, Throwable failure) {
        poll.noteInterruption(failure);
        for (Item<T> item : Poll.firstOfEachLane(items)) {
            Lanes.Passing passing = lanes.transientFailure(item.lane(), items.size());
            poll.stop(item, passing.pause(), Optional.of(failure));
            reports.transientlyFailed(item, passing, failure);
        }
    }
}
