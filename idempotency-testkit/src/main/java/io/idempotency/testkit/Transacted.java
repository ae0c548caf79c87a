package io.idempotency.testkit;

import io.idempotency.store.Claim;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Runs a piece of a test in a transaction of the store, to its commit or to its rollback. */
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
        @Nullable RuntimeException rollback = new RolledBack();
        try {
            store.transactions().inTransaction(() -> {
                result.add(work.get());
                throw new RolledBack();
            });
        } catch (RolledBack e) {
            rollback = null;
        }
        if (rollback != null) {
            throw new AssertionError("The transaction swallowed what its work threw", rollback);
        }
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

    /** Returns what a claim would answer, and takes it back. */
    static Claim asked(ClaimStore store, Delivery delivery) {
        return rolledBack(store, () -> store.claim(List.of(delivery))).get(0);
    }
}
