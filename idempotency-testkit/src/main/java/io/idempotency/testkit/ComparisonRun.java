package io.idempotency.testkit;

import io.idempotency.store.Claim;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.LeaseStore;
import io.idempotency.store.MessageId;
import io.idempotency.store.TransientStoreException;
import io.idempotency.testkit.ComparedStores.Pair;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;

/** Runs one seed of {@link StoreComparison}: a random sequence of operations. */
final class ComparisonRun {

    private static final int OPERATIONS = 60;
    private static final int MESSAGES = 8;
    private static final int PARTITIONS = 3;
    private static final int MOST_LEASES = 12;

    private final StoreContract contract;
    private final ComparedStores stores;
    private final Random random;
    private final Messages messages = Messages.ofNewConsumer();
    private final List<Runnable> operations;
    /** The retention of all purges of a run. A shared store keeps the longest one. */
    private final Duration retention;

    /** All granted leases, also those that have ended or were taken, so that late owners are tested. */
    private List<Pair> leases = new ArrayList<>();

    private long offset;

    ComparisonRun(StoreContract contract, long seed) {
        this.contract = contract;
        this.stores = new ComparedStores(contract);
        this.random = new Random(seed);
        List<Runnable> all = new ArrayList<>(List.of(
                this::transaction,
                this::transaction,
                this::forget,
                this::find,
                contract.purgesByTime() ? this::purge : this::find,
                this::passTime,
                this::passTime));
        if (stores.haveLeases()) {
            all.addAll(List.of(
                    this::lease,
                    this::lease,
                    this::lease,
                    this::renew,
                    this::complete,
                    this::release,
                    this::quarantine));
        }
        this.operations = List.copyOf(all);
        this.retention = shortly();
    }

    void run() {
        for (int i = 0; i < OPERATIONS; i++) {
            operations.get(random.nextInt(operations.size())).run();
        }
        for (int i = 0; i < MESSAGES; i++) {
            MessageId id = messages.id("m-" + i);
            stores.samePosition("find " + id.value(), store -> store.find(id));
        }
    }

    private void transaction() {
        stores.inTransaction(() -> {
            int steps = 1 + random.nextInt(3);
            for (int i = 0; i < steps; i++) {
                switch (random.nextInt(6)) {
                    case 0 -> forget();
                    case 1 -> find();
                    default -> claim();
                }
            }
            return random.nextInt(3) > 0;
        });
    }

    private void claim() {
        List<Delivery> deliveries = deliveries();
        List<Pair> granted = stores.granted("claim", store -> store.claim(deliveries));
        if (!granted.isEmpty() && random.nextInt(4) == 0) {
            Pair failed = granted.get(random.nextInt(granted.size()));
            stores.owning("quarantine", List.of(failed), (store, claims) -> store.quarantine(claims.get(0)));
        }
    }

    private void lease() {
        List<Delivery> deliveries = deliveries();
        Duration length = shortly();
        leases.addAll(
                stores.granted("lease for " + length, store -> lending(store).lease(deliveries, length)));
        while (leases.size() > MOST_LEASES) {
            leases.remove(0);
        }
    }

    private void renew() {
        List<Pair> some = some(leases);
        Duration length = shortly();
        List<Pair> renewed = new ArrayList<>();
        boolean owned = stores.owning("renew for " + length, some, (store, claims) -> {
            List<Claim> answers = lending(store).renew(claims, length);
            for (int i = 0; i < answers.size(); i++) {
                if (renewed.size() <= i) {
                    renewed.add(new Pair(answers.get(i), answers.get(i)));
                } else {
                    renewed.set(i, new Pair(renewed.get(i).reference(), answers.get(i)));
                }
            }
        });
        if (owned) {
            leases.addAll(renewed);
        }
    }

    private void complete() {
        List<Pair> some = some(unsettled());
        stores.owning("complete", some, (store, claims) -> lending(store).complete(claims));
    }

    private void release() {
        List<Pair> some = some(leases).stream()
                .map(pair -> random.nextBoolean() ? pair.started() : pair)
                .toList();
        stores.owning("release", some, (store, claims) -> lending(store).release(claims));
    }

    private void quarantine() {
        List<Pair> candidates = unsettled();
        if (!candidates.isEmpty()) {
            Pair failed = candidates.get(random.nextInt(candidates.size()));
            stores.owning("quarantine", List.of(failed), (store, claims) -> store.quarantine(claims.get(0)));
        }
    }

    private void forget() {
        MessageId id = messages.id("m-" + random.nextInt(MESSAGES));
        stores.same("forget " + id.value(), store -> forgotten(store, id));
    }

    /** A quarantined message is refused. */
    private static String forgotten(ClaimStore store, MessageId id) {
        try {
            return String.valueOf(store.forget(id));
        } catch (TransientStoreException e) {
            throw e;
        } catch (IdempotencyException e) {
            return "refused";
        }
    }

    private void find() {
        MessageId id = messages.id("m-" + random.nextInt(MESSAGES));
        stores.samePosition("find " + id.value(), store -> store.find(id));
    }

    /** Purges both until nothing is left. Others may share the data, so the numbers of purged messages are not compared. */
    private void purge() {
        stores.same("purge beyond " + retention, store -> {
            Transacted.purgedAll(store, retention);
            return true;
        });
    }

    private void passTime() {
        Duration duration = Duration.ofSeconds(10L * (1 + random.nextInt(6)));
        leases = new ArrayList<>(stores.passTime(duration, leases));
    }

    /** Returns a duration of ten seconds times a number, plus five. Time passes in multiples of ten seconds, so it never ends within five seconds. */
    private Duration shortly() {
        return Duration.ofSeconds(10L * (1 + random.nextInt(9)) + 5);
    }

    private List<Delivery> deliveries() {
        return Stream.generate(this::delivery).limit(1 + random.nextInt(6)).toList();
    }

    private Delivery delivery() {
        int number = random.nextInt(MESSAGES);
        int partition = contract.seesAllPartitions() ? random.nextInt(PARTITIONS) : number % PARTITIONS;
        return messages.at("m-" + number, partition, offset++);
    }

    /** Returns the leases of unsettled messages. A store may forget which lease completed a message. */
    private List<Pair> unsettled() {
        return leases.stream()
                .filter(pair -> contract.store().find(pair.delivery().id()).isEmpty())
                .toList();
    }

    /** Returns up to three pairs, at most one for each message. */
    private List<Pair> some(List<Pair> pairs) {
        List<Pair> some = new ArrayList<>();
        Set<MessageId> seen = new HashSet<>();
        for (int i = 0; i < 3 && !pairs.isEmpty(); i++) {
            Pair pair = pairs.get(random.nextInt(pairs.size()));
            if (seen.add(pair.delivery().id())) {
                some.add(pair);
            }
        }
        return some;
    }

    private static LeaseStore lending(ClaimStore store) {
        return (LeaseStore) store;
    }
}
