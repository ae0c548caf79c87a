package io.idempotency;

import io.idempotency.store.Claim;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.TransactionLostException;
import io.idempotency.store.TransactionRunner;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** Claims deliveries in a transaction of its own, which holds nothing else. Thread-safe. */
final class CommittedClaims {

    private final ClaimStore store;
    private final TransactionRunner transactions;

    CommittedClaims(Settings.Storage storage) {
        this.store = storage.store();
        this.transactions = storage.transactions();
    }

    /**
     * Returns the claims, in the order asked, after their commit.
     *
     * @throws TransactionLostException if the transaction returned without a commit
     */
    List<Claim> of(List<Delivery> deliveries) {
        return of(deliveries, claims -> claims);
    }

    /**
     * Returns what a further step in the transaction makes of the claims, after their commit.
     *
     * @throws TransactionLostException if the transaction returned without a commit
     */
    List<Claim> of(List<Delivery> deliveries, UnaryOperator<List<Claim>> step) {
        List<Claim> answer = new ArrayList<>();
        boolean[] committed = new boolean[1];
        store.prepare(deliveries);
        transactions.inTransaction(() -> {
            // A runner may run its work again: only what the last run was told holds.
            answer.clear();
            answer.addAll(step.apply(store.claim(deliveries)));
            store.transactions().afterCommit(() -> committed[0] = true);
        });
        if (!committed[0]) {
            throw new TransactionLostException(
                    "The transaction that claims " + named(deliveries) + " returned without a commit");
        }
        return answer;
    }

    private static String named(List<Delivery> deliveries) {
        return deliveries.get(0) + (deliveries.size() == 1 ? "" : " and " + (deliveries.size() - 1) + " more");
    }
}
