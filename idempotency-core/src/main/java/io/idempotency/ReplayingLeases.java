package io.idempotency;

import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.LeaseStore;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;

/** A store whose leases take the message of a replay out of quarantine first, in a transaction of its own. Thread-safe. */
final class ReplayingLeases extends ReplayingStore implements LeaseStore {

    private final LeaseStore store;

    ReplayingLeases(LeaseStore store, ReplayBooks books, Function<Delivery, ReplayAttempt> attempts) {
        super(store, books, attempts);
        this.store = store;
    }

    /** If the process dies after the first step, the message is one that was released: it is leased by whoever meets it first. */
    @Override
    public List<Claim> lease(List<Delivery> deliveries, Duration length) {
        ReplayAttempt attempt = attempt(deliveries);
        attempt.claiming();
        books().inTransaction(() -> {
            books().take(attempt);
            store.unquarantine(deliveries.get(0));
        });
        List<Claim> leased = store.lease(deliveries, length);
        attempt.claimed(leased.get(0));
        return leased;
    }

    @Override
    public List<Claim> renew(List<Claim> leased, Duration length) {
        return store.renew(leased, length);
    }

    @Override
    public void complete(List<Claim> leased) {
        store.complete(leased);
    }

    @Override
    public void release(List<Claim> leased) {
        store.release(leased);
    }
}
