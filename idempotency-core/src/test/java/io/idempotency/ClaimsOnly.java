package io.idempotency;

import io.idempotency.store.Claim;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Processed;
import io.idempotency.store.Transactions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** A store that does not lend. */
record ClaimsOnly(ClaimStore store) implements ClaimStore {

    @Override
    public List<Claim> claim(List<Delivery> deliveries) {
        return store.claim(deliveries);
    }

    @Override
    public void quarantine(Claim claim) {
        store.quarantine(claim);
    }

    @Override
    public void expire(List<Claim> claims) {
        store.expire(claims);
    }

    @Override
    public void unquarantine(Delivery delivery) {
        store.unquarantine(delivery);
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
