package io.idempotency.memory;

import io.idempotency.store.Claim;
import io.idempotency.store.ClaimLostException;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Leases the messages of the memory store. Each call holds the monitor for a moment, once no running transaction is in its way. */
final class MemoryLeases {

    private final InstantSource clock;
    private final MemoryTransactions transactions;
    private final MemoryTable<MemoryRow> rows;

    MemoryLeases(InstantSource clock, MemoryTransactions transactions, MemoryTable<MemoryRow> rows) {
        this.clock = clock;
        this.transactions = transactions;
        this.rows = rows;
    }

    List<Claim> lease(List<Delivery> deliveries, Duration length) {
        requirePositive(length);
        List<MessageId> ids = deliveries.stream().map(Delivery::id).toList();
        return alone("Leasing", ids, now -> {
            MemoryLeaseDecision decision = new MemoryLeaseDecision(now, now.plus(length));
            List<Claim> answers = deliveries.stream()
                    .map(delivery -> decision.decide(delivery, rows.get(delivery.id(), null)))
                    .toList();
            answers.stream()
                    .filter(Claim::isGranted)
                    .forEach(lease -> rows.set(lease.delivery().id(), MemoryRow.leased(lease)));
            return answers;
        });
    }

    List<Claim> renew(List<Claim> leased, Duration length) {
        requirePositive(length);
        return alone("Renewing", ids(leased), now -> {
            Instant until = now.plus(length);
            List<Claim> lost =
                    leased.stream().filter(lease -> ownedRow(lease) == null).toList();
            refuseLost("renew", lost);
            leased.forEach(lease -> change(lease, row -> row.renewed(until)));
            return leased.stream().map(lease -> lease.renewed(until)).toList();
        });
    }

    void complete(List<Claim> leased) {
        endEach("complete", leased, (lease, now) -> {
            MemoryRow row = rows.get(lease.delivery().id(), null);
            boolean done = row != null && row.isProcessed() && row.isLeaseOf(lease);
            return done || change(lease, owned -> owned.completed(now));
        });
    }

    void expire(List<Claim> leased) {
        endEach("expire", leased, (lease, now) -> change(lease, owned -> owned.expired(now)));
    }

    void release(List<Claim> leased) {
        endEach("release", leased, (lease, now) -> change(lease, row -> row.released(lease.starts(), now)));
    }

    private void endEach(String verb, List<Claim> leased, BiFunction<Claim, Instant, Boolean> end) {
        alone("To " + verb + " leases", ids(leased), now -> {
            List<Claim> lost = new ArrayList<>();
            for (Claim lease : leased) {
                if (!end.apply(lease, now)) {
                    lost.add(lease);
                }
            }
            refuseLost(verb, lost);
            return lost;
        });
    }

    private boolean change(Claim lease, Function<MemoryRow, MemoryRow> change) {
        MemoryRow row = ownedRow(lease);
        if (row == null) {
            return false;
        }
        rows.set(lease.delivery().id(), change.apply(row));
        return true;
    }

    private @Nullable MemoryRow ownedRow(Claim lease) {
        MemoryRow row = rows.get(lease.delivery().id(), null);
        return row != null && row.isLeased() && row.isLeaseOf(lease) ? row : null;
    }

    private <T> T alone(String verb, List<MessageId> ids, Function<Instant, T> work) {
        transactions.refuseActive(verb);
        return transactions.exclusively(() -> {
            transactions.awaitOthers(rows, ids);
            T result = work.apply(clock.instant());
            transactions.changed();
            return result;
        });
    }

    private static void refuseLost(String verb, List<Claim> lost) {
        if (!lost.isEmpty()) {
            throw new ClaimLostException(verb, lost);
        }
    }

    private static List<MessageId> ids(List<Claim> leased) {
        for (Claim claim : leased) {
            if (!claim.isLease()) {
                throw new IdempotencyException("Not a lease: " + claim);
            }
        }
        return leased.stream().map(lease -> lease.delivery().id()).toList();
    }

    private static void requirePositive(Duration length) {
        if (length.isZero() || length.isNegative()) {
            throw new IdempotencyException("A lease has a length above zero, not " + length);
        }
    }
}
