package io.idempotency;

import io.idempotency.store.ClaimStore;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Judges which messages have expired. The store tells its time at most once a minute; in between the monotonic clock of the process goes on from there.
 * The time of a round trip counts as passed before the answer, so no message expires early. Thread-safe.
 */
final class Expiries {

    /** How long the process goes on from the store's answer. */
    static final Duration ASK_AFTER = Duration.ofMinutes(1);

    private final ClaimStore store;
    private final LongSupplier nanoTime;
    private volatile @Nullable Answer answer;

    /** The store's time, and the process's when it came. */
    private record Answer(Instant at, long nanos) {}

    Expiries(ClaimStore store, LongSupplier nanoTime) {
        this.store = store;
        this.nanoTime = nanoTime;
    }

    /** Asks the store for its time, if one of the items may expire and the last answer is too old. Call it before a transaction begins. */
    void prepare(List<? extends Item<?>> items) {
        for (Item<?> item : items) {
            if (item.expiry().isPresent()) {
                ask();
                return;
            }
        }
    }

    /** Asks the store for its time, if the last answer is too old. */
    void ask() {
        Answer unused = answer();
    }

    /** Returns whether the message has expired by now. Asks the store if {@link #prepare} was not called. */
    boolean isExpired(Item<?> item) {
        return item.expiry().isPresent() && isExpired(item.expiry().orElseThrow(), nanoTime.getAsLong());
    }

    /** Returns whether something that expires then had expired at this time of the process. */
    boolean isExpired(Instant expiry, long nanos) {
        Answer known = answer;
        Answer from = known == null ? answer() : known;
        return !from.at().plusNanos(nanos - from.nanos()).isBefore(expiry);
    }

    /** Returns an answer that is not too old. */
    private Answer answer() {
        Answer known = answer;
        if (known != null && nanoTime.getAsLong() - known.nanos() < ASK_AFTER.toNanos()) {
            return known;
        }
        Instant at = store.now();
        Answer fresh = new Answer(at, nanoTime.getAsLong());
        answer = fresh;
        return fresh;
    }
}
