package io.idempotency.testkit;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.memory.MemoryStore;
import io.idempotency.store.Claim;
import io.idempotency.store.ClaimLostException;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.LeaseStore;
import io.idempotency.store.MessageId;
import io.idempotency.store.Processed;
import io.idempotency.store.Transactions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The comparison is worth something only if it finds a store that answers otherwise. */
class StoreComparisonTest {

    private final MovableClock clock = MovableClock.create();

    @Test
    void agreesWithAStoreThatIsRightWhileNobodyElseIsThere() {
        ClaimStore store = new CheckThenInsertStore(clock);

        assertThatCode(() -> StoreComparison.run(new Subject(store))).doesNotThrowAnyException();
    }

    @Test
    void findsAStoreThatForgetsNothing() {
        LeaseStore store = new Wrapped() {
            @Override
            public boolean forget(MessageId id) {
                return find(id).isPresent();
            }
        };

        assertFound(store, "forget");
    }

    @Test
    void findsAStoreThatTellsLateOwnersNothing() {
        LeaseStore store = new Wrapped() {
            @Override
            public void complete(List<Claim> leased) {
                try {
                    super.complete(leased);
                } catch (ClaimLostException e) {
                    // the expected difference
                }
            }
        };

        assertFound(store, "complete");
    }

    @Test
    void findsAStoreThatCountsNoStarts() {
        LeaseStore store = new Wrapped() {
            @Override
            public void release(List<Claim> leased) {
                super.release(leased.stream()
                        .map(claim -> Claim.leased(claim.delivery(), claim.attempt(), 0, claim.until()))
                        .toList());
            }
        };

        assertFound(store, "starts");
    }

    @Test
    void findsAStoreThatNamesAWrongPosition() {
        LeaseStore store = new Wrapped() {
            @Override
            public List<Claim> claim(List<Delivery> deliveries) {
                return super.claim(deliveries).stream()
                        .map(claim -> claim.status() == Claim.Status.DUPLICATE
                                ? Claim.duplicate(
                                        claim.delivery(),
                                        claim.processed()
                                                .map(first -> new Processed(
                                                        claim.delivery().position(), first.at(), first.age())))
                                : claim)
                        .toList();
            }
        };

        assertFound(store, "position");
    }

    private void assertFound(LeaseStore store, String hint) {
        assertThatThrownBy(() -> StoreComparison.run(new Subject(store)))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("but the store under test answered")
                .hasMessageContaining(hint)
                .hasMessageContaining("-D" + StoreComparison.SEED_PROPERTY + "=");
    }

    private final class Subject implements StoreContract {

        private final ClaimStore store;

        Subject(ClaimStore store) {
            this.store = store;
        }

        @Override
        public ClaimStore store() {
            return store;
        }

        @Override
        public void passTime(Duration duration) {
            clock.pass(duration);
        }
    }

    /** A memory store with room for a fault. */
    private class Wrapped implements LeaseStore {

        private final MemoryStore store = MemoryStore.builder()
                .clock(() -> {
                    clock.pass(Duration.ofNanos(1000));
                    return clock.instant();
                })
                .build();

        @Override
        public List<Claim> lease(List<Delivery> deliveries, Duration length) {
            return store.lease(deliveries, length);
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
}
