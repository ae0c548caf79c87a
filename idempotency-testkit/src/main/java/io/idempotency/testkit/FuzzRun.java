package io.idempotency.testkit;

import io.idempotency.store.Claim;
import io.idempotency.store.Claim.Status;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Phaser;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/** Runs one seed of {@link ConcurrencyFuzz}. */
final class FuzzRun {

    private static final int THREADS = 4;
    private static final int POLLS = 6;
    private static final int MESSAGES = 12;
    private static final int MOST_TRIES = 1_000;
    private static final int MOST_WAITS = 20;
    private static final long WAIT_NANOS = 1_000_000;
    private static final long LIMIT_SECONDS = 120;

    private final ClaimStore store;
    private final long seed;
    private final Messages messages = Messages.ofNewConsumer();
    private final AtomicLong ticks = new AtomicLong();
    private final AtomicLong offsets = new AtomicLong();
    private final Phaser together = new Phaser(THREADS);

    private static final class RolledBack extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    FuzzRun(ClaimStore store, long seed) {
        this.store = store;
        this.seed = seed;
    }

    void run() {
        List<CompletableFuture<List<FuzzTransaction>>> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            threads.add(begin(new Random(seed * THREADS + i)));
        }
        List<FuzzTransaction> history = new ArrayList<>();
        threads.forEach(thread -> history.addAll(result(thread)));
        judge(history);
    }

    private CompletableFuture<List<FuzzTransaction>> begin(Random random) {
        CompletableFuture<List<FuzzTransaction>> result = new CompletableFuture<>();
        Thread thread = new Thread(
                () -> {
                    try {
                        result.complete(poll(random));
                    } catch (RuntimeException | Error e) {
                        result.completeExceptionally(e);
                    } finally {
                        together.arriveAndDeregister();
                    }
                },
                "fuzz-" + seed);
        thread.setDaemon(true);
        thread.start();
        return result;
    }

    private List<FuzzTransaction> poll(Random random) {
        List<FuzzTransaction> history = new ArrayList<>();
        for (int i = 0; i < POLLS; i++) {
            List<List<Delivery>> polls = new ArrayList<>();
            do {
                polls.add(randomDeliveries(random));
            } while (random.nextInt(4) == 0);
            boolean rollsBack = random.nextInt(4) == 0;
            together.arriveAndAwaitAdvance();
            untilDone(polls, rollsBack, history);
        }
        return history;
    }

    private void untilDone(List<List<Delivery>> polls, boolean rollsBack, List<FuzzTransaction> history) {
        for (int tries = 1; ; tries++) {
            try {
                runOnce(polls, rollsBack, history);
                return;
            } catch (RuntimeException e) {
                if (!store.transactions().isTransient(e)) {
                    throw e;
                }
                if (tries == MOST_TRIES) {
                    throw new AssertionError("Failed transiently " + tries + " times, the last time by " + e, e);
                }
                // With jitter, as the flow does: of two transactions that wait for each other, one must let the other
                // finish.
                // Not by the seed's random numbers: the interleaving would then decide the next claim.
                LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(Math.min(tries, MOST_WAITS) * WAIT_NANOS));
            }
        }
    }

    private List<Delivery> randomDeliveries(Random random) {
        return random.ints(1 + random.nextInt(6), 0, MESSAGES)
                .mapToObj(i -> messages.at("m-" + i, offsets.getAndIncrement()))
                .toList();
    }

    @SuppressWarnings("ThreadPriorityCheck") // yielding makes races likelier; nothing relies on it
    private void runOnce(List<List<Delivery>> polls, boolean rollsBack, List<FuzzTransaction> history) {
        FuzzTransaction transaction = new FuzzTransaction();
        history.add(transaction);
        try {
            store.transactions().inTransaction(() -> {
                for (List<Delivery> deliveries : polls) {
                    transaction.told(deliveries, store.claim(deliveries), ticks.incrementAndGet());
                    Thread.yield();
                }
                if (rollsBack) {
                    throw new RolledBack();
                }
                transaction.ending(ticks.incrementAndGet());
            });
            transaction.committed();
        } catch (RolledBack e) {
            // the planned rollback
        }
    }

    private void judge(List<FuzzTransaction> history) {
        Map<MessageId, FuzzTransaction> owners = new HashMap<>();
        for (FuzzTransaction transaction : history) {
            if (transaction.isCommitted()) {
                transaction.granted().keySet().forEach(id -> {
                    if (owners.put(id, transaction) != null) {
                        throw new AssertionError("Two committed transactions were granted " + id);
                    }
                });
            }
        }
        history.stream().flatMap(transaction -> transaction.told().stream()).forEach(told -> judge(told, owners));
        judgeWhatIsLeft(owners);
    }

    private void judge(FuzzTransaction.Told told, Map<MessageId, FuzzTransaction> owners) {
        Claim claim = told.claim();
        if (claim.status() != Status.DUPLICATE) {
            throw new AssertionError("Neither granted nor a duplicate: " + claim);
        }
        if (told.own()) {
            return;
        }
        FuzzTransaction owner = owners.get(claim.delivery().id());
        if (owner == null) {
            throw new AssertionError(
                    "Answered as a duplicate, but no transaction with a granted claim of it has committed: " + claim);
        }
        if (!owner.hadEndedBy(told.tick())) {
            throw new AssertionError(
                    "Answered as a duplicate before the transaction with the granted claim had ended: " + claim);
        }
        claim.processed().ifPresent(processed -> {
            if (!processed.position().equals(owner.positionOf(claim.delivery().id()))) {
                throw new AssertionError(
                        "Granted at " + owner.positionOf(claim.delivery().id()) + ": " + claim);
            }
        });
    }

    private void judgeWhatIsLeft(Map<MessageId, FuzzTransaction> owners) {
        for (Claim claim : Transacted.rolledBack(store, () -> store.claim(messages.inARow(MESSAGES)))) {
            if (claim.isGranted() == owners.containsKey(claim.delivery().id())) {
                throw new AssertionError(
                        "At the end, a committed message must be a duplicate, and another one new: " + claim);
            }
        }
    }

    private static <T> T result(CompletableFuture<T> thread) {
        try {
            return thread.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException | InterruptedException | TimeoutException e) {
            throw new AssertionError("A thread did not end: " + e, e);
        }
    }
}
