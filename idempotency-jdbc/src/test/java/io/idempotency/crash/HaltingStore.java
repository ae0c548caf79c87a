package io.idempotency.crash;

import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.LeaseStore;
import io.idempotency.store.MessageId;
import io.idempotency.store.Processed;
import io.idempotency.store.Transactions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** A store that halts the process before a claim, a lease or a completion. */
record HaltingStore(LeaseStore store, Halt halt) implements LeaseStore {

    @Override
    public List<Claim> claim(List<Delivery> deliveries) {
        halt.atAny(CrashPoint.BEFORE_CLAIM, deliveries);
        return store.claim(deliveries);
    }

    @Override
    public List<Claim> lease(List<Delivery> deliveries, Duration length) {
        halt.atAny(CrashPoint.BEFORE_CLAIM, deliveries);
        return store.lease(deliveries, length);
    }

    @Override
    public void complete(List<Claim> leased) {
        halt.atClaims(CrashPoint.BEFORE_RECORDED, leased);
        store.complete(leased);
    }

    @Override
    public List<Claim> renew(List<Claim> leased, Duration length) {
        return store.renew(leased, length);
    }

    @Override
    public void release(List<Claim> leased) {
        store.release(leased);
    }

    @Override
    public void quarantine(Claim claim) {
        store.quarantine(claim);
    }

    @Override
    public Optional<Processed> find(MessageId id) {
        return store.find(id);
    }

    @Override
    public boolean forget(MessageId id) {
        return store.forget(id);
    }

    @Override
    public int purge(Duration olderThan, int limit) {
        return store.purge(olderThan, limit);
    }

    @Override
    public Transactions transactions() {
        return store.transactions();
    }
}
