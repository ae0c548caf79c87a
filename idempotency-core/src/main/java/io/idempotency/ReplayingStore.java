package io.idempotency;

import io.idempotency.store.Claim;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Processed;
import io.idempotency.store.Transactions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** A store whose claims take the message of a replay out of quarantine first, in the same transaction. Thread-safe. */
class ReplayingStore implements ClaimStore {

    private final ClaimStore store;
    private final ReplayBooks books;
    private final Function<Delivery, ReplayAttempt> attempts;

    /** @param attempts returns the running attempt for a delivery, or throws */
    ReplayingStore(ClaimStore store, ReplayBooks books, Function<Delivery, ReplayAttempt> attempts) {
        this.store = store;
        this.books = books;
        this.attempts = attempts;
    }

    ReplayBooks books() {
        return books;
    }

    ReplayAttempt attempt(List<Delivery> deliveries) {
        if (deliveries.size() != 1) {
            throw new IdempotencyException("A replay handles one message at a time, not " + deliveries.size() + ": "
                    + deliveries.get(0) + " and others");
        }
        return attempts.apply(deliveries.get(0));
    }

    @Override
    public void prepare(List<Delivery> deliveries) {
        List<Delivery> all = new ArrayList<>(deliveries);
        ReplayAttempt attempt = attempt(deliveries);
        if (attempt.hasOtherId(deliveries.get(0))) {
            all.add(attempt.kept());
        }
        store.prepare(all);
    }

    @Override
    public List<Claim> claim(List<Delivery> deliveries) {
        ReplayAttempt attempt = attempt(deliveries);
        attempt.claiming();
        books.take(attempt);
        store.unquarantine(attempt.kept());
        Delivery asked = deliveries.get(0);
        List<Claim> claims;
        if (attempt.hasOtherId(asked)) {
            store.unquarantine(asked);
            List<Claim> both = store.claim(List.of(asked, attempt.kept()));
            claims = List.of(both.get(1).isGranted() ? both.get(0) : of(asked, both.get(1)));
        } else {
            claims = store.claim(deliveries);
        }
        attempt.claimed(claims.get(0));
        return claims;
    }

    private static Claim of(Delivery asked, Claim kept) {
        return new Claim(asked, kept.status(), kept.attempt(), kept.starts(), kept.until(), kept.processed());
    }

    /** Only the id under which the message is kept stays quarantined. Another one that it has now is not known until the message is handled. */
    @Override
    public void quarantine(Claim claim) {
        ReplayAttempt attempt = attempt(List.of(claim.delivery()));
        attempt.saving();
        if (!attempt.hasOtherId(claim.delivery())) {
            store.quarantine(claim);
            return;
        }
        if (!claim.isLease()) {
            store.quarantine(Claim.granted(attempt.kept()));
        }
        store.forget(claim.delivery().id());
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
    public void leave(String consumer, String stream, int partition) {
        // The live consumer may still have it.
    }

    @Override
    public boolean isPartitioned() {
        return store.isPartitioned();
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
    public Instant now() {
        return store.now();
    }

    @Override
    public Transactions transactions() {
        return store.transactions();
    }
}
