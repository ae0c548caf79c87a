package io.idempotency.testkit;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.store.Claim;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** Runs parts of a test in a transaction of a store, which commits or is rolled back. */
final class Transacted {

    private static final class RolledBack extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private Transacted() {}

    static <T> T committed(ClaimStore store, Supplier<T> work) {
        List<T> result = new ArrayList<>();
        store.transactions().inTransaction(() -> result.add(work.get()));
        return result.get(0);
    }

    static <T> T rolledBack(ClaimStore store, Supplier<T> work) {
        List<T> result = new ArrayList<>();
        assertThatThrownBy(() -> store.transactions().inTransaction(() -> {
                    result.add(work.get());
                    throw new RolledBack();
                }))
                .isInstanceOf(RolledBack.class);
        return result.get(0);
    }

    /** Claims in a transaction that commits. */
    static List<Claim> claimed(ClaimStore store, List<Delivery> deliveries) {
        return committed(store, () -> store.claim(deliveries));
    }

    /** Claims one delivery in a transaction that commits. */
    static Claim claimed(ClaimStore store, Delivery delivery) {
        return claimed(store, List.of(delivery)).get(0);
    }

    /** Returns the answer to a claim, and rolls the claim back. */
    static Claim asked(ClaimStore store, Delivery delivery) {
        return rolledBack(store, () -> store.claim(List.of(delivery))).get(0);
    }

    /** Purges until a purge forgets nothing. */
    static void purgedAll(ClaimStore store, Duration olderThan) {
        int purged = 1;
        while (purged > 0) {
            purged = store.purge(olderThan, 1000);
        }
    }
}
