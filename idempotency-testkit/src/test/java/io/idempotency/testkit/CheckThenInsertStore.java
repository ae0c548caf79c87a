package io.idempotency.testkit;

import io.idempotency.memory.MemoryStore;
import io.idempotency.store.Claim;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.Processed;
import io.idempotency.store.Transactions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A broken store that must not pass: a claim checks whether the message is known and, if not, inserts it, as many do with a table and no unique key. Right
 * as long as no two do so at the same time.
 */
final class CheckThenInsertStore implements ClaimStore {

    private final MovableClock clock;
    private final Map<MessageId, Row> table = new ConcurrentHashMap<>();
    private final ThreadTransactions transactions = new ThreadTransactions();

    private record Row(Position position, Instant at, boolean quarantined) {}

    CheckThenInsertStore(MovableClock clock) {
        this.clock = clock;
    }

    @Override
    public List<Claim> claim(List<Delivery> deliveries) {
        if (!transactions.isActive()) {
            throw new IdempotencyException("No transaction");
        }
        return deliveries.stream().map(this::claim).toList();
    }

    private Claim claim(Delivery delivery) {
        Row row = row(delivery.id());
        if (row == null) {
            put(delivery.id(), new Row(delivery.position(), clock.instant(), false));
            return Claim.granted(delivery);
        }
        return row.quarantined
                ? Claim.quarantined(delivery, Optional.of(processed(row)))
                : Claim.duplicate(delivery, Optional.of(processed(row)));
    }

    private @Nullable Row row(MessageId id) {
        Optional<Row> own = transactions.isActive() ? transactions.changes().get(id) : null;
        return own == null ? table.get(id) : own.orElse(null);
    }

    private void put(MessageId id, @Nullable Row row) {
        transactions.inTransaction(() -> transactions.changes().put(id, Optional.ofNullable(row)));
    }

    private Processed processed(Row row) {
        return new Processed(row.position, row.at, Duration.between(row.at, clock.instant()));
    }

    @Override
    public void quarantine(Claim claim) {
        put(claim.delivery().id(), new Row(claim.delivery().position(), clock.instant(), true));
    }

    @Override
    public void expire(List<Claim> claims) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void unquarantine(Delivery delivery) {
        Row row = row(delivery.id());
        if (row != null && row.quarantined) {
            put(delivery.id(), null);
        }
    }

    @Override
    public Optional<Processed> find(MessageId id) {
        return Optional.ofNullable(row(id)).map(this::processed);
    }

    @Override
    public Instant now() {
        return clock.instant();
    }

    @Override
    public boolean forget(MessageId id) {
        Row row = row(id);
        if (row != null && row.quarantined) {
            throw new IdempotencyException(id + " is in quarantine");
        }
        put(id, null);
        return row != null;
    }

    @Override
    public int purge(Duration olderThan, int limit) {
        if (transactions.isActive()) {
            throw new IdempotencyException("Within a transaction");
        }
        List<MessageId> old = table.entrySet().stream()
                .filter(entry -> entry.getValue().at.isBefore(clock.instant().minus(olderThan)))
                .map(Map.Entry::getKey)
                .limit(limit)
                .toList();
        table.keySet().removeAll(old);
        return old.size();
    }

    @Override
    public Transactions transactions() {
        return transactions;
    }

    /** Transactions that see committed rows, and know nothing about other running ones. */
    private final class ThreadTransactions implements Transactions {

        @SuppressWarnings("ThreadLocalUsage") // bound to one store
        private final ThreadLocal<Current> current = new ThreadLocal<>();

        private static final class Current {
            private final Map<MessageId, Optional<Row>> changes = new HashMap<>();
            private final List<Runnable> afterCommit = new ArrayList<>();
            private boolean rollbackOnly;
        }

        Map<MessageId, Optional<Row>> changes() {
            return current.get().changes;
        }

        @Override
        public void inTransaction(Runnable work) {
            Current outer = current.get();
            Current transaction = outer == null ? new Current() : outer;
            current.set(transaction);
            boolean returned = false;
            try {
                work.run();
                returned = true;
            } finally {
                transaction.rollbackOnly |= !returned;
                if (outer == null) {
                    current.remove();
                }
            }
            if (outer == null) {
                commit(transaction);
            }
        }

        private void commit(Current transaction) {
            if (transaction.rollbackOnly) {
                throw new IdempotencyException("Rolled back");
            }
            transaction.changes.forEach((id, row) -> table.compute(id, (same, before) -> row.orElse(null)));
            transaction.afterCommit.forEach(Runnable::run);
        }

        @Override
        public boolean isActive() {
            return current.get() != null;
        }

        @Override
        public void afterCommit(Runnable action) {
            if (!isActive()) {
                throw new IdempotencyException("No transaction");
            }
            current.get().afterCommit.add(action);
        }

        @Override
        public boolean isTransient(Throwable failure) {
            return MemoryStore.create().transactions().isTransient(failure);
        }
    }
}
